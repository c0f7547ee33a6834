// Package model is the mesh as plain data: who exists, who may talk to whom, and how.
//
// It knows neither Kubernetes nor Envoy, does no I/O and reads no clock. A Mesh is made by New from Parts and never
// changes afterwards; the entities in it hold List instead of slices, so that whoever reads a Mesh cannot write it.
//
// The words of this project, one per idea:
//
//	Proxy       one sidecar, and so one pod that has it
//	Service     a name that clients call, with its ports and the endpoints behind each
//	Endpoint    one address that answers for a service port
//	Identity    who a workload is: namespace and service account, proved by its certificate
//	Permission  what one TrafficTarget allows: sources, requests, ports of a destination identity
//	Split       how clients spread the requests for a root service over backends
//	Member      a service port that a proxy serves, with the pod port it is served on
//	Class       proxies that get the same configuration (package compiler)
//	Ref         where a fact was written: kind, namespace, name, field
package model
