package compiler

import (
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	rawbufferv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/raw_buffer/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/flomesh-io/fsmc/model"
)

// clusterSpec is a cluster of a service port: its endpoints come by EDS, or are the address that was called (Direct).
type clusterSpec struct {
	Name   string
	Direct bool
	HTTP   bool
	// SNI and Identities are what mutual TLS is about; without identities there is no TLS.
	SNI        string
	Identities []string
	TLS        tlsSpec
	// Mixed says that endpoints marked as plaintext are called without TLS.
	Mixed bool
	From  []model.Ref
}

func (s clusterSpec) resourceName() string    { return s.Name }
func (s clusterSpec) provenance() []model.Ref { return s.From }

func buildCluster(s clusterSpec) []byte {
	cluster := &clusterv3.Cluster{
		Name:                          s.Name,
		ConnectTimeout:                seconds(5),
		CircuitBreakers:               unboundedCircuitBreakers(),
		TypedExtensionProtocolOptions: protocolOptions(s.HTTP),
	}
	if strings.Contains(s.Name, ".") {
		cluster.AltStatName = statName(s.Name)
	}
	if s.Direct {
		cluster.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_ORIGINAL_DST}
		cluster.LbPolicy = clusterv3.Cluster_CLUSTER_PROVIDED
	} else {
		cluster.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS}
		cluster.EdsClusterConfig = &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()}
	}
	if len(s.Identities) > 0 {
		cluster.TransportSocket = upstreamTLS(s)
		if s.Mixed {
			cluster.TransportSocketMatches = []*clusterv3.Cluster_TransportSocketMatch{plaintextMatch()}
		}
	}
	return marshal(cluster)
}

// ads says that a resource comes over the stream that this one came by.
func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}

// unboundedCircuitBreakers lifts Envoy's default bounds of 1,024: a mesh that refuses calls must have been told to.
func unboundedCircuitBreakers() *clusterv3.CircuitBreakers {
	const unbounded = 1<<32 - 1
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		MaxConnections:     wrapperspb.UInt32(unbounded),
		MaxPendingRequests: wrapperspb.UInt32(unbounded),
		MaxRequests:        wrapperspb.UInt32(unbounded),
		MaxRetries:         wrapperspb.UInt32(unbounded),
		TrackRemaining:     true,
	}}}
}

// protocolOptions make the upstream side speak the HTTP version that the caller speaks, websockets over HTTP/2
// included; nothing for connections that are not HTTP.
func protocolOptions(isHTTP bool) map[string]*anypb.Any {
	if !isHTTP {
		return nil
	}
	options := &httpv3.HttpProtocolOptions{UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_UseDownstreamProtocolConfig{
		UseDownstreamProtocolConfig: &httpv3.HttpProtocolOptions_UseDownstreamHttpConfig{
			HttpProtocolOptions:  &corev3.Http1ProtocolOptions{},
			Http2ProtocolOptions: &corev3.Http2ProtocolOptions{AllowConnect: true},
		},
	}}
	return map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": packed(options)}
}

// plaintextKey marks an endpoint, in its metadata, as one without a sidecar. An endpoint without the mark is called
// with TLS: forgetting it fails closed.
const plaintextKey = "plaintext"

func plaintextMatch() *clusterv3.Cluster_TransportSocketMatch {
	return &clusterv3.Cluster_TransportSocketMatch{
		Name:  plaintextKey,
		Match: plaintextMark(),
		TransportSocket: &corev3.TransportSocket{
			Name:       "envoy.transport_sockets.raw_buffer",
			ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: packed(&rawbufferv3.RawBuffer{})},
		},
	}
}

func plaintextMark() *structpb.Struct {
	return &structpb.Struct{Fields: map[string]*structpb.Value{plaintextKey: structpb.NewBoolValue(true)}}
}

// localClusterSpec is a port of this machine: the application's, or Envoy's own administration.
type localClusterSpec struct {
	Name string
	Port uint16
	HTTP bool
	From []model.Ref
}

func (s localClusterSpec) resourceName() string    { return s.Name }
func (s localClusterSpec) provenance() []model.Ref { return s.From }

func buildLocalCluster(s localClusterSpec) []byte {
	return marshal(&clusterv3.Cluster{
		Name:                          s.Name,
		ClusterDiscoveryType:          &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		ConnectTimeout:                seconds(5),
		CircuitBreakers:               unboundedCircuitBreakers(),
		TypedExtensionProtocolOptions: protocolOptions(s.HTTP),
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: s.Name,
			Endpoints: []*endpointv3.LocalityLbEndpoints{{
				LbEndpoints: []*endpointv3.LbEndpoint{lbEndpoint("127.0.0.1", s.Port)},
			}},
		},
	})
}

// passthroughSpec is the cluster of connections that leave the mesh untouched.
type passthroughSpec struct{ From []model.Ref }

func (s passthroughSpec) resourceName() string    { return passthroughCluster }
func (s passthroughSpec) provenance() []model.Ref { return s.From }

func buildPassthroughCluster(passthroughSpec) []byte {
	return marshal(&clusterv3.Cluster{
		Name:                 passthroughCluster,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_ORIGINAL_DST},
		LbPolicy:             clusterv3.Cluster_CLUSTER_PROVIDED,
		ConnectTimeout:       seconds(5),
		CircuitBreakers:      unboundedCircuitBreakers(),
	})
}
