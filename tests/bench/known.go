package main

import (
	"sync"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

var (
	clusterURL  = typeURL((*clusterv3.Cluster)(nil))
	endpointURL = typeURL((*endpointv3.ClusterLoadAssignment)(nil))
	secretURL   = typeURL((*tlsv3.Secret)(nil))
	listenerURL = typeURL((*listenerv3.Listener)(nil))
	routeURL    = typeURL((*routev3.RouteConfiguration)(nil))
)

func typeURL(m proto.Message) string {
	return "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName())
}

// resource is what a proxy keeps of a resource: its version, and the names that it refers to, by type.
type resource struct {
	version string
	refers  map[string][]string
}

// known are the resources that any proxy has got, so that each is decoded once: to decode them is the work of Envoys,
// which run on machines of their own.
type known struct {
	mu        sync.Mutex
	resources map[string]*resource
}

func newKnown() *known { return &known{resources: map[string]*resource{}} }

func (k *known) resource(r *discoveryv3.Resource) *resource {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := r.Name + "\x00" + r.Version
	if found, ok := k.resources[key]; ok {
		return found
	}
	made := &resource{version: r.Version}
	url := r.Resource.GetTypeUrl()
	if url == clusterURL || url == listenerURL {
		made.refers = map[string][]string{}
		if m, err := r.Resource.UnmarshalNew(); err == nil {
			made.look(m)
		}
	}
	k.resources[key] = made
	return made
}

// look notes what a message refers to, and whatever is packed in it.
func (r *resource) look(m proto.Message) {
	switch m := m.(type) {
	case *anypb.Any:
		if inner, err := m.UnmarshalNew(); err == nil {
			r.look(inner)
		}
		return
	case *clusterv3.Cluster:
		if m.GetType() == clusterv3.Cluster_EDS {
			name := m.GetEdsClusterConfig().GetServiceName()
			if name == "" {
				name = m.GetName()
			}
			r.refers[endpointURL] = append(r.refers[endpointURL], name)
		}
	case *hcmv3.Rds:
		r.refers[routeURL] = append(r.refers[routeURL], m.GetRouteConfigName())
	case *tlsv3.SdsSecretConfig:
		r.refers[secretURL] = append(r.refers[secretURL], m.GetName())
	}
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsMap():
			if field.MapValue().Message() != nil {
				value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					r.look(v.Message().Interface())
					return true
				})
			}
		default:
			for _, inner := range messagesIn(field, value) {
				r.look(inner)
			}
		}
		return true
	})
}
