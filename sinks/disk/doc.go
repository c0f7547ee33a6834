// Package disk writes a compiled mesh into a folder: for people to read and compare, and for Envoys to run from.
//
//	mesh.yaml                                                       the mesh, as it was understood
//	diagnostics.yaml                                                what was found on the way
//	classes/<class>/{listeners,routes,clusters,endpoints,secrets}.yaml  what proxies of the class get over ADS
//	proxies/<namespace>/<pod>/envoy.yaml                            the same as one static file
//	proxies/<namespace>/<pod>/{tls.crt,tls.key,ca.crt}              the certificate beside it
//	.fsmc                                                           which of the files here are ours
//
// The text is pure (Files): the same snapshot gives the same bytes. Messages are written from their wire form (message.go),
// everything else from its JSON (yaml.go). The folder is changed in two steps: everything is
// written beside its place first, and moved into place only when all of it is there (tree.go). Whenever a run is
// interrupted, each file is the old one or the new one, and the next run repairs what is left.
package disk
