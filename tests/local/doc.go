// Package local tests `fsmc up`, `fsmc exec` and `fsmc ps` with real Envoys in real namespaces: what the manifests allow is
// answered, everything else is refused, and nothing stays when it ends, however it ends.
//
// The tests run as root, and as an ordinary user where the system lets one make namespaces. Where it does not, they say
// why and are skipped. A missing Envoy or iptables is a failure: the project's own scripts bring them.
package local
