// Package live tests that traffic goes on while a mesh changes: real sidecars, served over ADS, are under load while its
// manifests are edited. Each test says of each client what it is promised: never to be refused, never to be answered, or
// to be let in or shut out by the edit.
//
//	client    may call everything         what it asks is always answered, whatever is edited around it
//	guest     may ask for /public only    what else it asks is never answered, or once an edit admits it
//	stranger  may call nothing
//
// What was measured is in the log of each test: go test -v ./tests/live. docs/live.md says the same for operators.
package live
