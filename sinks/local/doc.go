// Package local runs a compiled mesh on this Linux machine, without Kubernetes: each pod is a network namespace with
// its addresses, its sidecar is a real Envoy that runs from the folder that the disk sink wrote, and traffic is
// redirected by the rules that the init container of a cluster applies (compiler/inject).
//
// Everything lives in one tree of namespaces, which has no route out and is gone when the process that holds it ends,
// however it ends.
package local
