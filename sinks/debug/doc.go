// Package debug shows what a control plane has and does, as pages for a browser and as JSON and YAML for programs:
//
//	/debug/mesh                            the mesh, as it was understood
//	/debug/proxies[/<namespace>/<pod>]     proxies, and the configuration of one with where each part was written
//	/debug/diff                            what proxies do not have yet, or did not take
//	/debug/pprof/                          profiles
//
// and more, which /debug/ lists. Nothing here can show a private key: no page is made of anything that has one. The one
// thing that can be changed is the level of logging.
package debug
