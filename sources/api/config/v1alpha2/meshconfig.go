package v1alpha2

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MeshConfig holds the settings of one mesh. There is one, named fsm-mesh-config, in the namespace of the control plane.
type MeshConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              MeshConfigSpec `json:"spec,omitempty"`
}

// MeshConfigSpec is what can be set.
type MeshConfigSpec struct {
	Sidecar       SidecarSpec       `json:"sidecar,omitempty"`
	Traffic       TrafficSpec       `json:"traffic,omitempty"`
	Observability ObservabilitySpec `json:"observability,omitempty"`
	Certificate   CertificateSpec   `json:"certificate,omitempty"`
	FeatureFlags  FeatureFlags      `json:"featureFlags,omitempty"`
}

// SidecarSpec sets how sidecars run. Fields that matter at injection only take effect when a pod starts.
type SidecarSpec struct {
	EnablePrivilegedInitContainer bool   `json:"enablePrivilegedInitContainer,omitempty"`
	LogLevel                      string `json:"logLevel,omitempty"`
	EnvoyImage                    string `json:"envoyImage,omitempty"`
	EnvoyWindowsImage             string `json:"envoyWindowsImage,omitempty"`
	InitContainerImage            string `json:"initContainerImage,omitempty"`
	// MaxDataPlaneConnections bounds connected proxies; 0 is no bound.
	MaxDataPlaneConnections int `json:"maxDataPlaneConnections,omitempty"`
	// ConfigResyncInterval is a Go duration; 0s is never.
	ConfigResyncInterval string                      `json:"configResyncInterval,omitempty"`
	Resources            corev1.ResourceRequirements `json:"resources,omitempty"`
	// TLSMinProtocolVersion is one of TLS_AUTO, TLSv1_0 … TLSv1_3; default TLSv1_2.
	TLSMinProtocolVersion string `json:"tlsMinProtocolVersion,omitempty"`
	// TLSMaxProtocolVersion is one of TLS_AUTO, TLSv1_0 … TLSv1_3; default TLSv1_3.
	TLSMaxProtocolVersion string   `json:"tlsMaxProtocolVersion,omitempty"`
	CipherSuites          []string `json:"cipherSuites,omitempty"`
	ECDHCurves            []string `json:"ecdhCurves,omitempty"`
	// LocalProxyMode is Localhost or PodIP.
	LocalProxyMode string `json:"localProxyMode,omitempty"`
}

// TrafficSpec sets which traffic goes through the mesh, and what it may do.
type TrafficSpec struct {
	EnableEgress                      bool              `json:"enableEgress,omitempty"`
	OutboundIPRangeExclusionList      []string          `json:"outboundIPRangeExclusionList,omitempty"`
	OutboundIPRangeInclusionList      []string          `json:"outboundIPRangeInclusionList,omitempty"`
	OutboundPortExclusionList         []int             `json:"outboundPortExclusionList,omitempty"`
	InboundPortExclusionList          []int             `json:"inboundPortExclusionList,omitempty"`
	EnablePermissiveTrafficPolicyMode bool              `json:"enablePermissiveTrafficPolicyMode,omitempty"`
	NetworkInterfaceExclusionList     []string          `json:"networkInterfaceExclusionList,omitempty"`
	InboundExternalAuthorization      ExternalAuthzSpec `json:"inboundExternalAuthorization,omitempty"`
}

// ExternalAuthzSpec names a service that decides on inbound requests.
type ExternalAuthzSpec struct {
	Enable           bool   `json:"enable,omitempty"`
	Address          string `json:"address,omitempty"`
	Port             int    `json:"port,omitempty"`
	StatPrefix       string `json:"statPrefix,omitempty"`
	Timeout          string `json:"timeout,omitempty"`
	FailureModeAllow bool   `json:"failureModeAllow,omitempty"`
}

// ObservabilitySpec sets logs, debugging and tracing.
type ObservabilitySpec struct {
	FSMLogLevel string `json:"fsmLogLevel,omitempty"`
	// OSMLogLevel is the older spelling of FSMLogLevel.
	OSMLogLevel       string      `json:"osmLogLevel,omitempty"`
	EnableDebugServer bool        `json:"enableDebugServer,omitempty"`
	Tracing           TracingSpec `json:"tracing,omitempty"`
}

// TracingSpec names a collector that takes spans in Zipkin's format.
type TracingSpec struct {
	Enable   bool   `json:"enable,omitempty"`
	Port     int    `json:"port,omitempty"`
	Address  string `json:"address,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
}

// CertificateSpec sets how certificates are issued.
type CertificateSpec struct {
	// ServiceCertValidityDuration is a Go duration; default 24h.
	ServiceCertValidityDuration string `json:"serviceCertValidityDuration,omitempty"`
	// CertKeyBitSize is the size of RSA keys, 2048 to 4096.
	CertKeyBitSize int                 `json:"certKeyBitSize,omitempty"`
	IngressGateway *IngressGatewayCert `json:"ingressGateway,omitempty"`
}

// IngressGatewayCert asks for a certificate in a Secret for an ingress gateway.
type IngressGatewayCert struct {
	SubjectAltNames  []string               `json:"subjectAltNames"`
	ValidityDuration string                 `json:"validityDuration"`
	Secret           corev1.SecretReference `json:"secret"`
}

// FeatureFlags switch features on.
type FeatureFlags struct {
	EnableWASMStats                bool `json:"enableWASMStats,omitempty"`
	EnableEgressPolicy             bool `json:"enableEgressPolicy,omitempty"`
	EnableMulticlusterMode         bool `json:"enableMulticlusterMode,omitempty"`
	EnableSnapshotCacheMode        bool `json:"enableSnapshotCacheMode,omitempty"`
	EnableAsyncProxyServiceMapping bool `json:"enableAsyncProxyServiceMapping,omitempty"`
	EnableIngressBackendPolicy     bool `json:"enableIngressBackendPolicy,omitempty"`
	EnableEnvoyActiveHealthChecks  bool `json:"enableEnvoyActiveHealthChecks,omitempty"`
	EnableRetryPolicy              bool `json:"enableRetryPolicy,omitempty"`
	EnableMeshRootCertificate      bool `json:"enableMeshRootCertificate,omitempty"`
}
