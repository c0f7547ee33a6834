package ads

import (
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
)

// kind is a type of resources, in the order in which they are sent.
type kind int

const (
	clusters kind = iota
	endpoints
	secrets
	routes
	listeners
	kinds
)

// kindNames are how a kind is called in statuses and events.
var kindNames = [kinds]string{"clusters", "endpoints", "secrets", "routes", "listeners"}

// kindURLs are the type URLs of the kinds.
var kindURLs = [kinds]string{
	typeURL((*clusterv3.Cluster)(nil)),
	typeURL((*endpointv3.ClusterLoadAssignment)(nil)),
	typeURL((*tlsv3.Secret)(nil)),
	typeURL((*routev3.RouteConfiguration)(nil)),
	typeURL((*listenerv3.Listener)(nil)),
}

// String is the kind's name.
func (k kind) String() string { return kindNames[k] }

// kindOf is the kind of a type URL.
func kindOf(url string) (kind, bool) {
	for k, known := range kindURLs {
		if known == url {
			return kind(k), true
		}
	}
	return 0, false
}

// whole says that a proxy takes what a message does not have as removed, in the protocol that sends the state of the
// world, and that asking for nothing means everything.
func (k kind) whole() bool { return k == clusters || k == listeners }

// parents are the kinds whose resources refer to resources of this kind.
func (k kind) parents() []kind {
	switch k {
	case endpoints:
		return []kind{clusters}
	case routes:
		return []kind{listeners}
	case secrets:
		return []kind{clusters, listeners}
	}
	return nil
}

func typeURL(m proto.Message) string {
	return strings.Join([]string{"type.googleapis.com", string(m.ProtoReflect().Descriptor().FullName())}, "/")
}
