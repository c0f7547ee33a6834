// Package compiler turns a mesh into what each Envoy must do.
//
// It is pure: a *model.Mesh goes in, an Output comes out, and equal meshes give equal bytes. For each class of proxies
// it first computes a view (whom may it call, who may call it, on which ports, how), and then makes resources of it
// with small builders. A builder takes one spec value that holds everything the resource may depend on; equal specs
// are built, marshalled and hashed once for the whole mesh.
//
// Where to start reading: compile.go, then view.go, then one builder, such as cluster.go.
package compiler
