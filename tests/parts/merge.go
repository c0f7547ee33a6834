package parts

import (
	"fmt"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// Merge is one configuration with the listeners and clusters of many, under names and ports of their own: Envoy checks
// each as it would alone, and starts only once.
func Merge(t testing.TB, list []*bootstrapv3.Bootstrap) *bootstrapv3.Bootstrap {
	t.Helper()
	all := &bootstrapv3.Bootstrap{StaticResources: &bootstrapv3.Bootstrap_StaticResources{}}
	port := uint32(20000)
	for i, each := range list {
		one := proto.CloneOf(each)
		rename(t, one.ProtoReflect(), fmt.Sprintf("p%d/", i))
		for _, l := range one.StaticResources.Listeners {
			value := &corev3.SocketAddress_PortValue{PortValue: port}
			l.Address.GetSocketAddress().PortSpecifier = value
			for _, a := range l.AdditionalAddresses {
				a.Address.GetSocketAddress().PortSpecifier = value
			}
			port++
		}
		all.LayeredRuntime = one.LayeredRuntime
		proto.Merge(all, &bootstrapv3.Bootstrap{Node: one.Node, StaticResources: one.StaticResources})
	}
	return all
}

// renamed are the fields that hold the name of a listener or cluster.
var renamed = map[protoreflect.FullName]bool{
	"envoy.config.listener.v3.Listener.name":                                                    true,
	"envoy.config.cluster.v3.Cluster.name":                                                      true,
	"envoy.config.endpoint.v3.ClusterLoadAssignment.cluster_name":                               true,
	"envoy.config.route.v3.RouteAction.cluster":                                                 true,
	"envoy.config.route.v3.WeightedCluster.ClusterWeight.name":                                  true,
	"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.cluster":                            true,
	"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight.name": true,
}

// rename puts a prefix before every such name, inside of what is packed too.
func rename(t testing.TB, m protoreflect.Message, prefix string) {
	t.Helper()
	if packed, ok := m.Interface().(*anypb.Any); ok {
		inner, err := packed.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		rename(t, inner.ProtoReflect(), prefix)
		if err := packed.MarshalFrom(inner); err != nil {
			t.Fatal(err)
		}
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case renamed[f.FullName()]:
			m.Set(f, protoreflect.ValueOfString(prefix+v.String()))
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, value protoreflect.Value) bool {
					rename(t, value.Message(), prefix)
					return true
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				rename(t, v.List().Get(i).Message(), prefix)
			}
		default:
			rename(t, v.Message(), prefix)
		}
		return true
	})
}
