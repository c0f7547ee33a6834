package compiler

import (
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	originaldstv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/original_dst/v3"
	tlsinspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"

	"github.com/flomesh-io/fsmc/model"
)

// families are the IP versions that a pod has, and so those that its listeners bind.
type families struct{ V4, V6 bool }

// outboundSpec is the listener for what the application calls.
type outboundSpec struct {
	Families families
	Matcher  *part
	Chains   []*part
	// Otherwise is the chain for destinations that the matcher does not know; nil refuses them.
	Otherwise *part
	From      []model.Ref
}

func (s outboundSpec) resourceName() string    { return outboundListener }
func (s outboundSpec) provenance() []model.Ref { return s.From }

func (s outboundSpec) made() []*part {
	parts := slices.Clone(s.Chains)
	for _, p := range []*part{s.Matcher, s.Otherwise} {
		if p != nil {
			parts = append(parts, p)
		}
	}
	return parts
}

func buildOutboundListener(s outboundSpec) []byte {
	l := listener(outboundListener, OutboundPort, s.Families)
	l.TrafficDirection = corev3.TrafficDirection_OUTBOUND
	l.ListenerFilters = []*listenerv3.ListenerFilter{
		listenerFilter("envoy.filters.listener.original_dst", &originaldstv3.OriginalDst{}), // restores what was called
	}
	l.AccessLog = refusedLog()
	b := appendParts(marshal(l), fieldNumber(l, "filter_chains"), s.Chains)
	if s.Otherwise != nil {
		b = appendParts(b, fieldNumber(l, "default_filter_chain"), []*part{s.Otherwise})
	}
	if s.Matcher != nil {
		b = appendParts(b, fieldNumber(l, "filter_chain_matcher"), []*part{s.Matcher})
	}
	return b
}

// inboundListenerSpec is the listener for what others call.
type inboundListenerSpec struct {
	Families families
	Chains   []*part
	From     []model.Ref
}

func (s inboundListenerSpec) resourceName() string    { return inboundListener }
func (s inboundListenerSpec) provenance() []model.Ref { return s.From }
func (s inboundListenerSpec) made() []*part           { return s.Chains }

func buildInboundListener(s inboundListenerSpec) []byte {
	l := listener(inboundListener, InboundPort, s.Families)
	l.TrafficDirection = corev3.TrafficDirection_INBOUND
	l.ListenerFilters = []*listenerv3.ListenerFilter{
		listenerFilter("envoy.filters.listener.original_dst", &originaldstv3.OriginalDst{}),    // restores the target port
		listenerFilter("envoy.filters.listener.tls_inspector", &tlsinspectorv3.TlsInspector{}), // reads SNI and ALPN for the chains
	}
	l.AccessLog = refusedLog()
	return appendParts(marshal(l), fieldNumber(l, "filter_chains"), s.Chains)
}

// prometheusSpec is the listener that serves statistics.
type prometheusSpec struct {
	Families families
	From     []model.Ref
}

func (s prometheusSpec) resourceName() string    { return prometheusListener }
func (s prometheusSpec) provenance() []model.Ref { return s.From }

func buildPrometheusListener(s prometheusSpec) []byte {
	l := listener(prometheusListener, PrometheusPort, s.Families)
	l.TrafficDirection = corev3.TrafficDirection_INBOUND
	l.FilterChains = []*listenerv3.FilterChain{{
		Name:    prometheusListener,
		Filters: []*listenerv3.Filter{filter(connectionManagerFilter, prometheusConnections())},
	}}
	return marshal(l)
}

// listener binds a port on every address of the families.
func listener(name string, port uint16, f families) *listenerv3.Listener {
	l := &listenerv3.Listener{Name: name, StatPrefix: name, Address: socketAddress("0.0.0.0", port)}
	switch {
	case f.V6 && !f.V4:
		l.Address = socketAddress("::", port)
	case f.V6:
		l.AdditionalAddresses = []*listenerv3.AdditionalAddress{{Address: socketAddress("::", port)}}
	}
	return l
}
