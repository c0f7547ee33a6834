// Package shapes makes meshes of known shape and size, to measure with: the same arguments give the same mesh, whatever
// the machine.
//
// A Graph says who calls whom. Graph.Manifests writes it down as a repository of manifests would, with Deployments;
// Graph.Dump as a cluster reports it, with pods, addresses and endpoints. Both mean the same mesh, in SMI mode.
package shapes
