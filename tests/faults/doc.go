// Package faults tests what becomes of a mesh when something breaks that its own code cannot help: processes that are
// killed, peers that do not read or send garbage, clocks that jump, disks that are full. Each test states the figure that
// it keeps: what may be lost (nothing), what may be left (nothing), and how soon it is well again.
//
// Servers are processes of their own wherever a flag can bring them into the state; sidecars are simulated (package
// sidecar), as many as needed.
package faults
