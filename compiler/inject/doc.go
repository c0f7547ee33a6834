// Package inject says what a pod gets when it joins the mesh: the rules that bring its traffic to the sidecar, and how
// the sidecar is started. It is pure; a webhook, an init container and the local mesh apply what it says.
package inject
