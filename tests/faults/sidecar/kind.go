package sidecar

import (
	"sync"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	// The types that are looked for references inside of.
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// Kind is a type of resources.
type Kind int

// The kinds, in the order in which Envoy asks for them.
const (
	Clusters Kind = iota
	Endpoints
	Secrets
	Listeners
	Routes
	kinds
)

const prefix = "type.googleapis.com/envoy."

var urls = [kinds]string{
	prefix + "config.cluster.v3.Cluster",
	prefix + "config.endpoint.v3.ClusterLoadAssignment",
	prefix + "extensions.transport_sockets.tls.v3.Secret",
	prefix + "config.listener.v3.Listener",
	prefix + "config.route.v3.RouteConfiguration",
}

var names = [kinds]string{"clusters", "endpoints", "secrets", "listeners", "routes"}

// URL is the kind's type URL.
func (k Kind) URL() string { return urls[k] }

// String is the kind's name.
func (k Kind) String() string { return names[k] }

func kindOf(url string) (Kind, bool) {
	for k, known := range urls {
		if known == url {
			return Kind(k), true
		}
	}
	return 0, false
}

// references are the resources that a cluster or listener names.
type references [kinds][]string

// seen are the references of every resource of this process by name and version: many sidecars are sent the same.
var seen sync.Map

// referencesOf are the references of a resource. What cannot be read has none.
func referencesOf(k Kind, name, version string, value []byte) references {
	if k != Clusters && k != Listeners {
		return references{}
	}
	key := [3]string{k.String(), name, version}
	if found, ok := seen.Load(key); ok {
		return found.(references)
	}
	var found references
	if m, err := (&anypb.Any{TypeUrl: urls[k], Value: value}).UnmarshalNew(); err == nil {
		found.collect(m)
	}
	seen.Store(key, found)
	return found
}

// collect finds the references in a message and in all that it has.
func (r *references) collect(m proto.Message) {
	switch m := m.(type) {
	case *anypb.Any:
		if inner, err := m.UnmarshalNew(); err == nil {
			r.collect(inner)
		}
		return
	case *clusterv3.Cluster:
		if m.GetType() == clusterv3.Cluster_EDS {
			name := m.GetEdsClusterConfig().GetServiceName()
			if name == "" {
				name = m.Name
			}
			r[Endpoints] = append(r[Endpoints], name)
		}
	case *tlsv3.SdsSecretConfig:
		if m.GetSdsConfig() != nil {
			r[Secrets] = append(r[Secrets], m.Name)
		}
	case *hcmv3.Rds:
		r[Routes] = append(r[Routes], m.RouteConfigName)
	}
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		r.collectField(f, v)
		return true
	})
}

func (r *references) collectField(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case f.IsMap():
		if f.MapValue().Message() != nil {
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				r.collect(v.Message().Interface())
				return true
			})
		}
	case f.Message() == nil:
	case f.IsList():
		for i := range v.List().Len() {
			r.collect(v.List().Get(i).Message().Interface())
		}
	default:
		r.collect(v.Message().Interface())
	}
}
