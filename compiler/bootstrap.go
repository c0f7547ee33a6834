package compiler

import (
	"net/netip"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/flomesh-io/fsmc/model"
)

// ControlPlane is where a sidecar gets its configuration from, and how it knows that it is there.
type ControlPlane struct {
	// Host is an IP address or a DNS name, Port where ADS is served on it. Host6, unless empty, is for pods that have IPv6
	// addresses only.
	Host  string
	Host6 string
	Port  uint16
	// Socket, unless empty, is the path of a Unix socket that is called instead.
	Socket string
	// Identity is whom the server's certificate must name.
	Identity model.Identity
	// Watched says that the certificate of the stream is taken anew when its files change (CertificateSecretFile,
	// TrustSecretFile). Envoy takes five inotify instances for it, of which a system gives a user 128 by default;
	// otherwise the files are read once, when the sidecar starts.
	Watched bool
}

// ControlPlanePort is where the control plane serves ADS.
const ControlPlanePort = 15128

// ControlPlaneIdentity is who the control plane is.
var ControlPlaneIdentity = model.Identity{Namespace: "fsm-system", ServiceAccount: "fsm-controller"}

// The files that say where the certificate of the stream is, for ControlPlane.Watched. Envoy looks at them again when
// the folder changes.
const (
	CertificateSecretFile = "./tls_certificate_sds_secret.yaml"
	TrustSecretFile       = "./validation_context_sds_secret.yaml"

	streamCertificate = "tls_sds"
	streamTrust       = "validation_context_sds"
)

// Bootstrap is what a sidecar starts with that gets its configuration over a stream (ADS, incremental). The certificate
// of the stream is in files beside it (CertificateFile, PrivateKeyFile, TrustFile). It is nil for a proxy that the
// output does not have.
func (o *Output) Bootstrap(id model.ProxyID, from ControlPlane) *bootstrapv3.Bootstrap {
	p, ok := o.placed(id)
	if !ok {
		return nil
	}
	if from.Host6 != "" && !familiesOf(p.proxy).V4 {
		from.Host = from.Host6
	}
	b := bootstrap(p.proxy)
	b.DynamicResources = &bootstrapv3.Bootstrap_DynamicResources{
		AdsConfig: &corev3.ApiConfigSource{
			ApiType:             corev3.ApiConfigSource_DELTA_GRPC,
			TransportApiVersion: corev3.ApiVersion_V3,
			GrpcServices: []*corev3.GrpcService{{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
				EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: controlPlaneCluster, RetryPolicy: again()},
			}}},
			SetNodeOnFirstMessageOnly: true,
		},
		CdsConfig: first(),
		LdsConfig: first(),
	}
	b.StaticResources = &bootstrapv3.Bootstrap_StaticResources{
		Clusters: []*clusterv3.Cluster{from.cluster(o.settings.TrustDomain)},
	}
	return b
}

// again is how a stream that has ended is opened again. By default Envoy waits longer and longer, up to half a minute: so long
// nobody would hear of anything after an outage.
func again() *corev3.RetryPolicy {
	return &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
		BaseInterval: seconds(1), MaxInterval: seconds(5),
	}}
}

// first is where clusters and listeners come from. Envoy waits for the first of them as long as it takes: by default it
// would call itself ready after 15 s without any.
func first() *corev3.ConfigSource {
	source := ads()
	source.InitialFetchTimeout = seconds(0)
	return source
}

// cluster is how the control plane is called: in HTTP/2 over TLS 1.3, with pings that find out when it has gone without
// a word.
func (c ControlPlane) cluster(trustDomain string) *clusterv3.Cluster {
	cluster := &clusterv3.Cluster{
		Name:                 controlPlaneCluster,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS},
		ConnectTimeout:       seconds(5),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": packed(http2Only()),
		},
		TransportSocket: c.transportSocket(trustDomain),
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: controlPlaneCluster,
			Endpoints:   []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{c.endpoint()}}},
		},
	}
	if _, err := netip.ParseAddr(c.Host); err == nil || c.Socket != "" {
		cluster.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
	}
	return cluster
}

func (c ControlPlane) endpoint() *endpointv3.LbEndpoint {
	if c.Socket == "" {
		return lbEndpoint(c.Host, c.Port)
	}
	return &endpointv3.LbEndpoint{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
		Address: &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: c.Socket}}},
	}}}
}

func http2Only() *httpv3.HttpProtocolOptions {
	return &httpv3.HttpProtocolOptions{UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
		ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
				Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
					ConnectionKeepalive: &corev3.KeepaliveSettings{Interval: seconds(30), Timeout: seconds(10)},
				},
			},
		},
	}}
}

func (c ControlPlane) transportSocket(trustDomain string) *corev3.TransportSocket {
	server := &tlsv3.CertificateValidationContext{
		MatchTypedSubjectAltNames: []*tlsv3.SubjectAltNameMatcher{uriName(c.Identity.URI(trustDomain))},
	}
	context := &tlsv3.CommonTlsContext{
		TlsParams: &tlsv3.TlsParameters{
			TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_3, TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3,
		},
		AlpnProtocols: []string{"h2"},
	}
	if c.Watched {
		context.TlsCertificateSdsSecretConfigs = []*tlsv3.SdsSecretConfig{inFile(streamCertificate, CertificateSecretFile)}
		context.ValidationContextType = &tlsv3.CommonTlsContext_CombinedValidationContext{
			CombinedValidationContext: &tlsv3.CommonTlsContext_CombinedCertificateValidationContext{
				DefaultValidationContext:         server,
				ValidationContextSdsSecretConfig: inFile(streamTrust, TrustSecretFile),
			},
		}
	} else {
		server.TrustedCa = file(TrustFile)
		context.TlsCertificates = []*tlsv3.TlsCertificate{streamKeyPair()}
		context.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: server}
	}
	return tlsSocket(&tlsv3.UpstreamTlsContext{CommonTlsContext: context, MaxSessionKeys: wrapperspb.UInt32(0)})
}

func streamKeyPair() *tlsv3.TlsCertificate {
	return &tlsv3.TlsCertificate{CertificateChain: file(CertificateFile), PrivateKey: file(PrivateKeyFile)}
}

// inFile is a secret that is described in a file, and taken anew when files in its folder are exchanged.
func inFile(name, path string) *tlsv3.SdsSecretConfig {
	return &tlsv3.SdsSecretConfig{Name: name, SdsConfig: &corev3.ConfigSource{
		ResourceApiVersion: corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_PathConfigSource{
			PathConfigSource: &corev3.PathConfigSource{Path: path},
		},
	}}
}

// CertificateSecret is what stands in CertificateSecretFile: the secret is in other files, and taken anew when they are
// exchanged.
func CertificateSecret() *tlsv3.Secret {
	pair := streamKeyPair()
	pair.WatchedDirectory = &corev3.WatchedDirectory{Path: "."}
	return &tlsv3.Secret{Name: streamCertificate, Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: pair}}
}

// TrustSecret is what stands in TrustSecretFile, in the same way.
func TrustSecret() *tlsv3.Secret {
	return &tlsv3.Secret{Name: streamTrust, Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
		TrustedCa: file(TrustFile), WatchedDirectory: &corev3.WatchedDirectory{Path: "."},
	}}}
}

// bootstrap is what every sidecar starts with, however it gets its configuration: who it is, its administration on
// loopback, and which statistics it keeps.
func bootstrap(proxy *model.Proxy) *bootstrapv3.Bootstrap {
	return &bootstrapv3.Bootstrap{
		Node: &corev3.Node{
			Id:      proxy.ID.String(),
			Cluster: proxy.Identity.ServiceAccount + "." + proxy.Identity.Namespace,
		},
		Admin:               &bootstrapv3.Admin{Address: socketAddress("127.0.0.1", AdminPort)},
		LayeredRuntime:      runtime(),
		StatsConfig:         statistics(),
		DeferredStatOptions: whenUsed(),
	}
}

// runtime lifts Envoy's bound of 100 instructions for an expression, which a path of a hundred letters exceeds: one such
// rule would cost the whole route table. How long an expression may be is decided where it is read.
func runtime() *bootstrapv3.LayeredRuntime {
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name: "mesh",
		LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: &structpb.Struct{Fields: map[string]*structpb.Value{
			"re2.max_program_size.error_level": structpb.NewNumberValue(1<<32 - 1),
		}}},
	}}}
}
