package compiler

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/flomesh-io/fsmc/model"
)

// virtualHostSpec is one service in an outbound route table.
type virtualHostSpec struct {
	Name    string
	Domains []string
	Routes  []routeSpec
}

// routeSpec sends requests that a match accepts to targets by weight; without targets it answers 503.
type routeSpec struct {
	Name    string
	Match   matchSpec
	Targets []targetSpec
}

type targetSpec struct {
	Cluster string
	Weight  uint32
}

func buildVirtualHost(s virtualHostSpec) []byte {
	host := &routev3.VirtualHost{Name: s.Name, Domains: s.Domains}
	for _, r := range s.Routes {
		host.Routes = append(host.Routes, route(r))
	}
	return marshal(host)
}

func route(s routeSpec) *routev3.Route {
	r := &routev3.Route{Name: s.Name, Match: routeMatch(s.Match)}
	if len(s.Targets) == 0 {
		r.Action = unavailable()
		return r
	}
	r.Action = &routev3.Route_Route{Route: toTargets(s.Targets)}
	return r
}

func routeMatch(m matchSpec) *routev3.RouteMatch {
	match := &routev3.RouteMatch{
		PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"},
		Headers:       headerMatchers(m),
	}
	if m.Path != "" {
		match.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: regex(m.Path)}
	}
	return match
}

// toTargets has no timeout: how long a request may take is the application's to say.
func toTargets(targets []targetSpec) *routev3.RouteAction {
	action := &routev3.RouteAction{Timeout: &durationpb.Duration{}}
	if len(targets) == 1 {
		action.ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: targets[0].Cluster}
		return action
	}
	weighted := &routev3.WeightedCluster{}
	for _, t := range targets {
		weighted.Clusters = append(weighted.Clusters, &routev3.WeightedCluster_ClusterWeight{
			Name: t.Cluster, Weight: wrapperspb.UInt32(t.Weight),
		})
	}
	action.ClusterSpecifier = &routev3.RouteAction_WeightedClusters{WeightedClusters: weighted}
	return action
}

func unavailable() *routev3.Route_DirectResponse {
	return &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
		Status: 503,
		Body: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{
			InlineString: "no backend of this service can be used by this client",
		}},
	}}
}

// outboundRoutesSpec is the route table of one outbound port. The port in a Host header is not looked at, so that names
// and addresses need to be listed only once.
type outboundRoutesSpec struct {
	Name  string
	Hosts []*part
	From  []model.Ref
}

func (s outboundRoutesSpec) resourceName() string    { return s.Name }
func (s outboundRoutesSpec) provenance() []model.Ref { return s.From }
func (s outboundRoutesSpec) made() []*part           { return s.Hosts }

func buildOutboundRoutes(s outboundRoutesSpec) []byte {
	table := &routev3.RouteConfiguration{
		Name: s.Name, IgnorePortInHostMatching: true,
	}
	return appendParts(marshal(table), fieldNumber(table, "virtual_hosts"), s.Hosts)
}

// inboundRoutesSpec is the route table of one door: the policies are the table's, and its one virtual host takes every
// request, so that the Host header never chooses policy.
type inboundRoutesSpec struct {
	Name     string
	Host     string
	Cluster  string
	Policies []policySpec
	From     []model.Ref
}

func (s inboundRoutesSpec) resourceName() string    { return s.Name }
func (s inboundRoutesSpec) provenance() []model.Ref { return s.From }

func buildInboundRoutes(s inboundRoutesSpec) []byte {
	return marshal(&routev3.RouteConfiguration{
		Name: s.Name,
		VirtualHosts: []*routev3.VirtualHost{{
			Name:    s.Host,
			Domains: []string{"*"},
			Routes:  []*routev3.Route{route(routeSpec{Targets: []targetSpec{{Cluster: s.Cluster}}})},
		}},
		TypedPerFilterConfig: map[string]*anypb.Any{httpRBACFilter: packed(routeRBAC(s.Policies))},
	})
}
