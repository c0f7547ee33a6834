package compiler

import (
	"fmt"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// Every name that we give Envoy is made here. Names are identities of what they name, never positions: adding or
// reordering one thing renames no other. Dashboards and tools read them, so they are part of the interface.

// Fixed names.
const (
	outboundListener   = "outbound-listener"
	inboundListener    = "inbound-listener"
	prometheusListener = "inbound-prometheus-listener"

	plaintextChain     = "outbound_plaintext"
	passthroughChain   = "outbound-egress-filter-chain"
	passthroughCluster = "passthrough-outbound"
	metricsCluster     = "envoy-metrics-cluster"
	// controlPlaneCluster is the cluster of a bootstrap that leads to the control plane.
	controlPlaneCluster = "fsm-controller"

	certificateSlot   = "service-cert"
	inboundTrustSlot  = "root-cert-for-mtls-inbound"
	outboundTrustSlot = "root-cert-for-mtls-outbound"

	// connectionsPrefix is what the names of connection managers in statistics begin with; a route table's name follows.
	connectionsPrefix = "mesh-http-conn-manager."
	// tcpConnections is what the names of connections that are not HTTP begin with; a chain's name follows. Those to the
	// addresses of pods have one name, as there is a chain for each service and their clusters count them too.
	tcpConnections    = "outbound-mesh-tcp-proxy_"
	directConnections = tcpConnections + "direct"

	// meshALPN is what the client side of a mesh connection offers and the inbound chains ask for.
	meshALPN = "fsm"
	// permissivePolicy is the RBAC policy of permissive mode, where no TrafficTarget names one.
	permissivePolicy = "permissive"
)

// The ports of the sidecar. They are never target ports of a service.
const (
	AdminPort      = 15000
	OutboundPort   = 15001
	InboundPort    = 15003
	PrometheusPort = 15010
)

// clusterDomain is the DNS suffix of the names of services.
const clusterDomain = "cluster.local"

// fqdn is the full name of a service, which is also the SNI of connections to it.
func fqdn(s model.ServiceID) string { return s.Name + "." + s.Namespace + ".svc." + clusterDomain }

// hostnames are the names that a service is called by, the longest first; the bare name only within its namespace.
func hostnames(s model.ServiceID, clientNamespace string) []string {
	base := s.Name + "." + s.Namespace
	names := []string{base + ".svc." + clusterDomain, base + ".svc.cluster", base + ".svc", base}
	if s.Namespace == clientNamespace {
		names = append(names, s.Name)
	}
	return names
}

// upstreamCluster names the cluster of a service port: the port that clients call, as target ports differ between pods.
func upstreamCluster(p model.ServicePort) string { return fmt.Sprintf("%s|%d", p.Service, p.Port) }

// directCluster names the cluster for calls to the addresses of the pods behind a service port.
func directCluster(p model.ServicePort) string { return upstreamCluster(p) + "|direct" }

// localCluster names the application's port in the sidecar's own pod.
func localCluster(target uint16) string { return fmt.Sprintf("%d|local", target) }

// statName is a cluster's name as statistics show it: dots would be read as separators.
func statName(cluster string) string { return strings.ReplaceAll(cluster, ".", "_") }

func outboundHTTPChain(port uint16) string { return fmt.Sprintf("outbound_%d_http", port) }

func outboundTCPChain(p model.ServicePort, protocol model.Protocol) string {
	return fmt.Sprintf("outbound_%s_%d_%s", p.Service, p.Port, protocol)
}

func outboundDirectChain(p model.ServicePort) string {
	return fmt.Sprintf("outbound_%s_%d_direct", p.Service, p.Port)
}

func inboundChain(s model.ServiceID, target uint16, protocol model.Protocol) string {
	return fmt.Sprintf("inbound_%s_%d_%s", s, target, protocol)
}

func outboundRoutes(port uint16) string { return fmt.Sprintf("rds-outbound.%d", port) }

func inboundRoutes(target uint16) string { return fmt.Sprintf("rds-inbound.%d", target) }

func outboundVirtualHost(s model.ServiceID) string { return "outbound_virtual-host|" + fqdn(s) }

func directVirtualHost(s model.ServiceID) string { return outboundVirtualHost(s) + "|direct" }

func inboundVirtualHost(target uint16) string { return fmt.Sprintf("inbound_virtual-host|%d", target) }
