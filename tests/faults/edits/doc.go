// Package edits edits a folder of manifests at random: policies, splits, replicas and whole Deployments and Services come, go
// and change, the MeshConfig changes what all sidecars or all certificates are, and now and then a file is left half
// written. The same seed makes the same edits.
package edits
