package compiler

import (
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/structpb"

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
		Admin:          &bootstrapv3.Admin{Address: socketAddress("127.0.0.1", AdminPort)},
		LayeredRuntime: runtime(),
	}
}

// runtime lifts Envoy's bound of 100 instructions for an expression, which a path of a hundred letters exceeds: one such
// rule would cost the whole route table. How long an expression may be is decided where it is read.
func runtime() *bootstrapv3.LayeredRuntime {
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name: "mesh",
		LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: &structpb.Struct{Fields: map[string]*structpb.Value{
			"re2.max_program_size.error_level": structpb.NewNumberValue(1<<32 - 1),
		}}},
	}}}
}
