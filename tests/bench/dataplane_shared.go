package main

import (
	"fmt"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	statev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	setv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// sharedDirect brings calls to the addresses of pods to a form that we do not have: one cluster for all services, and in each
// service's chain a filter that tells the connection which server to ask for and whom to accept. It is only measured: these
// names can be of any kind in a certificate, and not only URIs (decision 11), and where the filter is missing anybody of the
// mesh is accepted.
func (c *callers) sharedDirect() error {
	const shared = "direct"
	class, _ := c.snapshot.Output.ClassOf(c.client)
	contexts := map[string]*tlsv3.UpstreamTlsContext{}
	var clusters []*compiler.Resource
	for r := range class.Clusters.Values() {
		if !strings.HasSuffix(r.Name, "|direct") {
			clusters = append(clusters, r)
			continue
		}
		message, err := r.Message()
		if err != nil {
			return err
		}
		cluster, context := message.(*clusterv3.Cluster), &tlsv3.UpstreamTlsContext{}
		if err := cluster.TransportSocket.GetTypedConfig().UnmarshalTo(context); err != nil {
			return err
		}
		contexts[r.Name] = context
		if len(contexts) > 1 {
			continue
		}
		if r, err = sharedCluster(r, cluster, proto.CloneOf(context), shared); err != nil {
			return err
		}
		clusters = append(clusters, r)
	}
	class.Clusters = model.ListOf(clusters...)
	return c.relisten(c.client, "outbound-listener", func(l *listenerv3.Listener) error {
		for _, chain := range l.FilterChains {
			if !strings.HasSuffix(chain.Name, "_direct") {
				continue
			}
			if err := toShared(chain, contexts, shared); err != nil {
				return err
			}
		}
		return nil
	})
}

// sharedCluster is a cluster without what makes it one service's.
func sharedCluster(r *compiler.Resource, cluster *clusterv3.Cluster, context *tlsv3.UpstreamTlsContext, name string) (*compiler.Resource, error) {
	context.Sni = ""
	context.CommonTlsContext.GetCombinedValidationContext().DefaultValidationContext = &tlsv3.CertificateValidationContext{}
	socket, err := anypb.New(context)
	if err != nil {
		return nil, err
	}
	cluster.TransportSocket.ConfigType = &corev3.TransportSocket_TypedConfig{TypedConfig: socket}
	cluster.Name, cluster.AltStatName = name, ""
	made, err := remade(r, cluster)
	if err == nil {
		made.Name = name
	}
	return made, err
}

// toShared has a chain tell the connection what its cluster had.
func toShared(chain *listenerv3.FilterChain, contexts map[string]*tlsv3.UpstreamTlsContext, name string) error {
	last := &tcpproxyv3.TcpProxy{}
	if err := chain.Filters[0].GetTypedConfig().UnmarshalTo(last); err != nil {
		return err
	}
	context, ok := contexts[last.GetCluster()]
	if !ok {
		return fmt.Errorf("%s leads to %s", chain.Name, last.GetCluster())
	}
	var accepted []string
	for _, m := range context.CommonTlsContext.GetCombinedValidationContext().DefaultValidationContext.MatchTypedSubjectAltNames {
		accepted = append(accepted, m.Matcher.GetExact())
	}
	state, err := anypb.New(&setv3.Config{OnNewConnection: []*statev3.FilterStateValue{
		said("envoy.network.upstream_server_name", context.Sni), said("envoy.network.upstream_subject_alt_names", strings.Join(accepted, ",")),
	}})
	if err != nil {
		return err
	}
	last.ClusterSpecifier = &tcpproxyv3.TcpProxy_Cluster{Cluster: name}
	proxy, err := anypb.New(last)
	if err != nil {
		return err
	}
	chain.Filters = []*listenerv3.Filter{
		{Name: "envoy.filters.network.set_filter_state", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: state}},
		{Name: chain.Filters[0].Name, ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: proxy}},
	}
	return nil
}

// said is a text in the state of a connection, for the connection that follows from it.
func said(key, text string) *statev3.FilterStateValue {
	return &statev3.FilterStateValue{
		Key: &statev3.FilterStateValue_ObjectKey{ObjectKey: key}, SharedWithUpstream: statev3.FilterStateValue_ONCE,
		Value: &statev3.FilterStateValue_FormatString{FormatString: &corev3.SubstitutionFormatString{
			Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
				Specifier: &corev3.DataSource_InlineString{InlineString: text},
			}},
		}},
	}
}
