// Package edits edits a folder of manifests at random: policies, splits, replicas and whole Deployments come, go and change,
// and now and then a file is left half written. The same seed makes the same edits.
package edits
