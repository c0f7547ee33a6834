package compiler

import (
	"fmt"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/flomesh-io/fsmc/model"
)

// The names of the files that a standalone configuration expects in its working folder, in PEM.
const (
	CertificateFile = "./tls.crt"
	PrivateKeyFile  = "./tls.key"
	TrustFile       = "./ca.crt"
)

// Standalone is one proxy's whole configuration as one static bootstrap: routes and endpoints are in it, certificates
// are files beside it (CertificateFile, PrivateKeyFile, TrustFile). Nothing in it is watched, and it holds no key, so
// that it can be kept, compared and checked. It is nil for a proxy that the output does not have.
func (o *Output) Standalone(id model.ProxyID) *bootstrapv3.Bootstrap {
	p, ok := o.placed(id)
	if !ok {
		return nil
	}
	s := standalone{
		routes:    decoded[*routev3.RouteConfiguration](p.class.Routes),
		endpoints: decoded[*endpointv3.ClusterLoadAssignment](p.class.Endpoints),
	}
	static := &bootstrapv3.Bootstrap_StaticResources{}
	for r := range p.class.Listeners.Values() {
		static.Listeners = append(static.Listeners, s.listener(decode[*listenerv3.Listener](r)))
	}
	for r := range p.class.Clusters.Values() {
		static.Clusters = append(static.Clusters, s.cluster(decode[*clusterv3.Cluster](r)))
	}
	b := bootstrap(p.proxy)
	b.StaticResources = static
	return b
}

// standalone is what static resources get in place of references. It works on decoded copies, which are its own.
type standalone struct {
	routes    map[string]*routev3.RouteConfiguration
	endpoints map[string]*endpointv3.ClusterLoadAssignment
}

func (s standalone) listener(l *listenerv3.Listener) *listenerv3.Listener {
	for _, chain := range l.FilterChains {
		s.chain(chain)
	}
	if l.DefaultFilterChain != nil {
		s.chain(l.DefaultFilterChain)
	}
	return l
}

func (s standalone) chain(c *listenerv3.FilterChain) {
	s.transportSocket(c.TransportSocket)
	for _, f := range c.Filters {
		if f.Name == connectionManagerFilter {
			repack(f.GetTypedConfig(), s.inlineRoutes)
		}
	}
}

func (s standalone) inlineRoutes(manager *hcmv3.HttpConnectionManager) {
	if rds := manager.GetRds(); rds != nil {
		manager.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: s.routes[rds.RouteConfigName]}
	}
}

func (s standalone) cluster(c *clusterv3.Cluster) *clusterv3.Cluster {
	s.transportSocket(c.TransportSocket)
	if c.GetType() == clusterv3.Cluster_EDS {
		c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
		c.EdsClusterConfig = nil
		c.LoadAssignment = s.endpoints[c.Name]
	}
	return c
}

func (s standalone) transportSocket(socket *corev3.TransportSocket) {
	config := socket.GetTypedConfig()
	switch {
	case config == nil:
	case config.MessageIs((*tlsv3.UpstreamTlsContext)(nil)):
		repack(config, func(t *tlsv3.UpstreamTlsContext) { inlineSecrets(t.CommonTlsContext) })
	case config.MessageIs((*tlsv3.DownstreamTlsContext)(nil)):
		repack(config, func(t *tlsv3.DownstreamTlsContext) { inlineSecrets(t.CommonTlsContext) })
	}
}

// inlineSecrets puts the names of files where certificates would come over the stream.
func inlineSecrets(t *tlsv3.CommonTlsContext) {
	validation := &tlsv3.CertificateValidationContext{}
	if combined := t.GetCombinedValidationContext(); combined != nil {
		validation = combined.DefaultValidationContext
	}
	validation.TrustedCa = file(TrustFile)
	t.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: validation}
	t.TlsCertificateSdsSecretConfigs = nil
	t.TlsCertificates = []*tlsv3.TlsCertificate{{CertificateChain: file(CertificateFile), PrivateKey: file(PrivateKeyFile)}}
}

func file(name string) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: name}}
}

// repack changes the message that an Any holds.
func repack[M proto.Message](config *anypb.Any, edit func(M)) {
	message, err := config.UnmarshalNew()
	if err != nil {
		panic("compiler: " + err.Error())
	}
	edit(message.(M))
	config.Value = marshal(message)
}

func decoded[M interface {
	proto.Message
	comparable
}](resources model.List[*Resource]) map[string]M {
	byName := map[string]M{}
	for r := range resources.Values() {
		byName[r.Name] = decode[M](r)
	}
	return byName
}

// decode gives back the message that a resource of this package was made of.
func decode[M proto.Message](r *Resource) M {
	message, err := r.Message()
	if err != nil {
		panic(fmt.Sprintf("compiler: %v", err))
	}
	return message.(M)
}
