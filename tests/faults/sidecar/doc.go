// Package sidecar is a sidecar as far as its control plane can tell: it asks for what Envoy asks for and in its order,
// acknowledges as Envoy does, keeps the versions of what it is sent, which it looks whether they are those of the bytes, and comes back with them when its stream has ended.
// It runs no traffic, so that there can be hundreds of them in a process.
//
// What it does as Envoy: it asks for clusters, for the endpoints and secrets that they name, for listeners once the first
// clusters are warm, and for the routes that those name. The acknowledgement of clusters is kept back while one of them
// waits for its endpoints or a secret. Endpoints, secrets and routes that nothing names any more are unsubscribed from. On a new
// stream it says which versions it has, and while clusters warm it does not ask for more of them.
package sidecar
