package compiler

import (
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/flomesh-io/fsmc/model"
)

// bootstrap is what every sidecar starts with, however it gets its configuration: who it is, and its administration on
// loopback.
func bootstrap(proxy *model.Proxy) *bootstrapv3.Bootstrap {
	return &bootstrapv3.Bootstrap{
		Node: &corev3.Node{
			Id:      proxy.ID.String(),
			Cluster: proxy.Identity.ServiceAccount + "." + proxy.Identity.Namespace,
		},
		Admin: &bootstrapv3.Admin{Address: socketAddress("127.0.0.1", AdminPort)},
	}
}
