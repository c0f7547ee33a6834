package compiler

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/model"
)

// tlsSpec is what a TLS connection of the mesh may negotiate. Both sides set both bounds: left alone, the upstream
// side of Envoy stops at TLS 1.2.
type tlsSpec struct {
	Minimum string
	Maximum string
	Ciphers []string
	Curves  []string
}

func newTLSSpec(t model.TLS) tlsSpec {
	s := tlsSpec{Minimum: t.Minimum, Maximum: t.Maximum}
	for c := range t.Ciphers.Values() {
		s.Ciphers = append(s.Ciphers, c)
	}
	for c := range t.Curves.Values() {
		s.Curves = append(s.Curves, c)
	}
	return s
}

func (s tlsSpec) parameters() *tlsv3.TlsParameters {
	return &tlsv3.TlsParameters{
		TlsMinimumProtocolVersion: tlsVersion(s.Minimum, tlsv3.TlsParameters_TLSv1_2),
		TlsMaximumProtocolVersion: tlsVersion(s.Maximum, tlsv3.TlsParameters_TLSv1_3),
		CipherSuites:              s.Ciphers,
		EcdhCurves:                s.Curves,
	}
}

func tlsVersion(version string, otherwise tlsv3.TlsParameters_TlsProtocol) tlsv3.TlsParameters_TlsProtocol {
	switch version {
	case "1.2":
		return tlsv3.TlsParameters_TLSv1_2
	case "1.3":
		return tlsv3.TlsParameters_TLSv1_3
	}
	return otherwise
}

// upstreamTLS is the client side of a mesh connection: it offers only the mesh's ALPN, and accepts a server only by
// its URI identity.
func upstreamTLS(s clusterSpec) *corev3.TransportSocket {
	return tlsSocket(&tlsv3.UpstreamTlsContext{
		Sni: s.SNI,
		CommonTlsContext: &tlsv3.CommonTlsContext{
			TlsParams:                      s.TLS.parameters(),
			TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{slot(certificateSlot)},
			AlpnProtocols:                  []string{meshALPN},
			ValidationContextType:          validation(s.Identities, outboundTrustSlot),
		},
	})
}

// downstreamTLS is the server side: it asks for a certificate of the mesh, and, if clients are named, of one of them. It
// lists no ALPN, or the codec would fall to HTTP/1; the chain's match asks for the mesh's.
func downstreamTLS(s tlsSpec, clients []string) *corev3.TransportSocket {
	context := &tlsv3.CommonTlsContext{
		TlsParams:                      s.parameters(),
		TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{slot(certificateSlot)},
		ValidationContextType: &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
			ValidationContextSdsSecretConfig: slot(inboundTrustSlot),
		},
	}
	if len(clients) > 0 {
		context.ValidationContextType = validation(clients, inboundTrustSlot)
	}
	return tlsSocket(&tlsv3.DownstreamTlsContext{
		RequireClientCertificate: yes(),
		CommonTlsContext:         context,
		// The certificate of a resumed session does not count as verified, and its owner would be refused by RBAC.
		SessionTicketKeysType:            &tlsv3.DownstreamTlsContext_DisableStatelessSessionResumption{DisableStatelessSessionResumption: true},
		DisableStatefulSessionResumption: true,
	})
}

// validation accepts a peer whose certificate is trusted and has one of the URIs.
func validation(uris []string, trust string) *tlsv3.CommonTlsContext_CombinedValidationContext {
	var names []*tlsv3.SubjectAltNameMatcher
	for _, uri := range uris {
		names = append(names, uriName(uri))
	}
	return &tlsv3.CommonTlsContext_CombinedValidationContext{
		CombinedValidationContext: &tlsv3.CommonTlsContext_CombinedCertificateValidationContext{
			DefaultValidationContext:         &tlsv3.CertificateValidationContext{MatchTypedSubjectAltNames: names},
			ValidationContextSdsSecretConfig: slot(trust),
		},
	}
}

// uriName matches a URI among the names of a certificate.
func uriName(uri string) *tlsv3.SubjectAltNameMatcher {
	return &tlsv3.SubjectAltNameMatcher{SanType: tlsv3.SubjectAltNameMatcher_URI, Matcher: exactly(uri)}
}

func tlsSocket(context proto.Message) *corev3.TransportSocket {
	return &corev3.TransportSocket{
		Name:       "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: packed(context)},
	}
}

func slot(name string) *tlsv3.SdsSecretConfig {
	return &tlsv3.SdsSecretConfig{Name: name, SdsConfig: ads()}
}
