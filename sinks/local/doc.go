// Package local runs a compiled mesh on this Linux machine, without Kubernetes: each pod is a network namespace with
// its addresses, its sidecar is a real Envoy that starts from the folder that the disk sink wrote, and traffic is
// redirected by the rules that the init container of a cluster applies (compiler/inject).
//
// Two processes of one program hold a mesh:
//
//	front   start.go, inner.go, users.go: makes the namespaces, says what to run, and is what the user sees
//	inner   inside.go, machine.go: the first process of a PID namespace, with one thread in each pod (thread.go)
//
// When either ends, however it ends, the kernel ends every process of the PID namespace; network namespaces, links,
// rules and mounts are gone with them. The network has no route out, but for the connections to the control plane, which
// the inner process passes on to a socket outside (forwarder.go).
//
// The inner process is the network between the pods (fabric.go, virtual.go), their name server (names.go), the server
// behind every port (echo.go) and the client that asks requests (engine.go) and makes loads (loader.go). Others ask it
// through a socket that only the user who started it may use (client.go, door.go).
//
// A mesh that runs can be brought to another plan (change.go, apply.go). What runs is a state that is never changed
// (state.go): whoever asks sees the one before or the one after.
package local
