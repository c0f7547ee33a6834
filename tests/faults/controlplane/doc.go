// Package controlplane runs an fsmc serve as a process of its own, which can be killed, and says by a fresh compilation of
// the same manifests what each sidecar is to have in the end.
package controlplane
