package compiler

import (
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	directresponsev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/direct_response/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The names of network filters.
const (
	connectionManagerFilter = "envoy.filters.network.http_connection_manager"
	tcpProxyFilter          = "envoy.filters.network.tcp_proxy"
	networkRBACFilter       = "envoy.filters.network.rbac"
	directResponseFilter    = "envoy.filters.network.direct_response"
)

// outboundHTTPSpec is the chain of all HTTP services on one port. The listener's matcher names it.
type outboundHTTPSpec struct {
	Name   string
	Routes string
}

func buildOutboundHTTPChain(s outboundHTTPSpec) []byte {
	return marshal(&listenerv3.FilterChain{
		Name:    s.Name,
		Filters: []*listenerv3.Filter{filter(connectionManagerFilter, outboundConnections(s.Routes))},
	})
}

// outboundTCPSpec is the chain of one service port that is not HTTP, of calls to pods by address, or of what leaves
// the mesh. Without targets it closes every connection.
type outboundTCPSpec struct {
	Name       string
	StatPrefix string
	Targets    []targetSpec
}

func buildOutboundTCPChain(s outboundTCPSpec) []byte {
	last := filter(directResponseFilter, &directresponsev3.Config{})
	if len(s.Targets) > 0 {
		last = filter(tcpProxyFilter, tcpProxy(s.StatPrefix, s.Targets))
	}
	return marshal(&listenerv3.FilterChain{Name: s.Name, Filters: []*listenerv3.Filter{last}})
}

func tcpProxy(statPrefix string, targets []targetSpec) *tcpproxyv3.TcpProxy {
	proxy := &tcpproxyv3.TcpProxy{StatPrefix: statPrefix, AccessLog: accessLog()}
	if len(targets) == 1 {
		proxy.ClusterSpecifier = &tcpproxyv3.TcpProxy_Cluster{Cluster: targets[0].Cluster}
		return proxy
	}
	weighted := &tcpproxyv3.TcpProxy_WeightedCluster{}
	for _, t := range targets {
		weighted.Clusters = append(weighted.Clusters, &tcpproxyv3.TcpProxy_WeightedCluster_ClusterWeight{
			Name: t.Cluster, Weight: t.Weight,
		})
	}
	proxy.ClusterSpecifier = &tcpproxyv3.TcpProxy_WeightedClusters{WeightedClusters: weighted}
	return proxy
}

// inboundSpec is one service's part of a door: mesh connections to the target port that name the service.
type inboundSpec struct {
	Name        string
	Target      uint16
	ServerNames []string
	TLS         tlsSpec
	// Routes is the door's route table if it speaks HTTP. Otherwise connections go to Cluster, and Policies decide
	// unless the mesh is Permissive.
	Routes     string
	Cluster    string
	Permissive bool
	Policies   []policySpec
}

func buildInboundChain(s inboundSpec) []byte {
	return marshal(&listenerv3.FilterChain{
		Name: s.Name,
		FilterChainMatch: &listenerv3.FilterChainMatch{
			DestinationPort:      wrapperspb.UInt32(uint32(s.Target)),
			ServerNames:          s.ServerNames,
			TransportProtocol:    "tls",
			ApplicationProtocols: []string{meshALPN},
		},
		TransportSocket: downstreamTLS(s.TLS, s.clients()),
		Filters:         inboundFilters(s),
	})
}

// closed says that every connection is closed: nobody may enter a door that does not judge requests.
func (s inboundSpec) closed() bool { return s.Routes == "" && !s.Permissive && len(s.Policies) == 0 }

func inboundFilters(s inboundSpec) []*listenerv3.Filter {
	if s.Routes != "" {
		return []*listenerv3.Filter{filter(connectionManagerFilter, inboundConnections(s.Routes))}
	}
	proxy := filter(tcpProxyFilter, inboundTCPProxy(s.Cluster))
	switch {
	case s.Permissive:
		return []*listenerv3.Filter{proxy}
	case s.closed():
		return []*listenerv3.Filter{filter(directResponseFilter, &directresponsev3.Config{})} // closes every connection
	}
	return []*listenerv3.Filter{filter(networkRBACFilter, networkRBAC(s.Policies)), proxy}
}

// inboundTCPProxy does not call the application before the handshake has told who calls: a stranger would use up its
// connections, and be greeted by a server that speaks first.
func inboundTCPProxy(cluster string) *tcpproxyv3.TcpProxy {
	proxy := tcpProxy("inbound-mesh-tcp-proxy."+cluster, []targetSpec{{Cluster: cluster}})
	proxy.UpstreamConnectMode = tcpproxyv3.UpstreamConnectMode_ON_DOWNSTREAM_TLS_HANDSHAKE
	proxy.MaxEarlyDataBytes = wrapperspb.UInt32(0)
	return proxy
}

// clients are all who may enter a door that is not HTTP; none are named at doors that judge requests, or nobody. Network
// RBAC decides when the client's first bytes come, and by then a server that speaks first has been greeting: so the
// handshake has to decide before.
func (s inboundSpec) clients() []string {
	if s.Routes != "" || s.Permissive {
		return nil
	}
	var uris []string
	for _, p := range s.Policies {
		uris = append(uris, p.Principals...)
	}
	slices.Sort(uris)
	return slices.Compact(uris)
}

func filter(name string, config proto.Message) *listenerv3.Filter {
	return &listenerv3.Filter{Name: name, ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: packed(config)}}
}

func listenerFilter(name string, config proto.Message) *listenerv3.ListenerFilter {
	return &listenerv3.ListenerFilter{Name: name, ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: packed(config)}}
}
