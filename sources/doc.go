// Package sources says what the cluster state is and what it means: Objects, and Resolve, which makes a mesh of them.
//
// It is pure: the packages below it read a directory, a cluster, a certificate authority; none of that happens here.
// It is the only place that knows what a Kubernetes object or an SMI policy means.
package sources
