// Package tresor is a certificate authority of our own whose key is a file. It certifies identities of the mesh, for
// trying out, for tests, and for meshes that have no other authority.
package tresor
