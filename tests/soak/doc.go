// Command soak edits a mesh for a long time and looks whether anything is lost or left over.
//
// One fsmc serve serves two folders of manifests: a random mesh, whose 200 sidecars are simulated, and a small shop, whose five
// sidecars are real Envoys under load. Both are edited at random, ten times a second, deterministically by a seed. In the end
//
//   - no request was lost that policy allowed all the time;
//   - heap and goroutines of the server are in the last third what they were in the first;
//   - each sidecar has what a fresh compilation of the last manifests gives it, and was never sent what it had;
//   - nothing was rejected.
//
// `make soak` runs it for 30 minutes; a test of this package runs it for some seconds.
package main
