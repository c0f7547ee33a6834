// Package tresor is a certificate authority of our own whose key is in a folder or in a Kubernetes Secret. It certifies
// identities of the mesh, for meshes that have no other authority.
package tresor
