// Command soak edits a mesh for a long time and looks whether anything is lost or left over.
//
// One fsmc serve serves two folders of manifests: a random mesh, of which 200 sidecars and more are simulated and connected
// at any time, and a small shop, whose five sidecars are real Envoys under load. Both are edited at random, ten times a
// second, deterministically by a seed: pods come and go and stop being ready, policies, splits and Services change,
// policies are broken and mended, files are left half written, the MeshConfig changes, certificates are issued anew, roots
// are replaced, and streams are broken off. Now and then there is a rest, at which the mesh is made what it was at the first:
//
//   - each sidecar has just what a fresh compilation of the manifests gives it, byte for byte, before and after that;
//   - streams that are all broken off at once are sent nothing but certificates;
//   - heap, goroutines and files of the server, and the memory of the Envoys, are what they were at the first rest.
//
// And all the time
//
//   - no request is lost that policy allows all the time, and none is let through that it never does;
//   - at least 200 simulated sidecars are connected, and all Envoys on the stream that they began with;
//   - nobody is sent what he has, or what is not what its version says, and nothing is rejected;
//   - the edits keep their pace.
//
// `make soak` runs it for 30 minutes, CI for 2, a test of this package for some seconds.
package main
