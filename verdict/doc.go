// Package verdict asks requests of a mesh and compares the answers with what was expected.
//
// The questions stand in a case file (access.yaml). An Engine answers them: real sidecars on this machine, or, later,
// the compiled configuration alone. The package knows neither; it parses, asks and judges.
package verdict
