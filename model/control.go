package model

import (
	"cmp"
	"time"
)

// ControlPlane is what the settings say of the control plane itself. No proxy's configuration depends on it.
type ControlPlane struct {
	// MaxProxies bounds the proxies that are connected at once (spec.sidecar.maxDataPlaneConnections); 0 is no bound.
	MaxProxies int `json:"maxProxies,omitempty"`
	// Resync is how often everything is compiled anew without a reason (spec.sidecar.configResyncInterval); 0 is never.
	Resync time.Duration `json:"resync,omitempty"`
	// LogLevel is trace, debug, info, warn, error, fatal, panic or disabled (spec.observability.fsmLogLevel); empty is info.
	LogLevel string `json:"logLevel,omitempty"`
	// DebugServer opens the debug server (spec.observability.enableDebugServer).
	DebugServer bool `json:"debugServer,omitempty"`
	// CertificateValidity is how long a leaf certificate is valid (spec.certificate.serviceCertValidityDuration); 0 is 24 h.
	CertificateValidity time.Duration `json:"certificateValidity,omitempty"`
	// KeyBits is the size of RSA keys, 2048 to 4096 (spec.certificate.certKeyBitSize); 0 is ECDSA P-256.
	KeyBits int `json:"keyBits,omitempty"`
	// Flags are the feature flags that are on, by name, in order (spec.featureFlags).
	Flags List[string] `json:"flags,omitzero"`
}

// Root is a certificate authority that the mesh trusts (a MeshRootCertificate). Of several, one signs.
type Root struct {
	// Name is the MeshRootCertificate's.
	Name string `json:"name"`
	// Signs says that new certificates are issued by this one. Exactly one root of a mesh that has any signs.
	Signs bool `json:"signs,omitempty"`
	// Provider is what kind of authority it is, such as tresor. It is empty for one that is to sign and cannot be used: then
	// no other authority takes its place.
	Provider string `json:"provider"`
	// SecretNamespace and SecretName say where tresor keeps the authority's certificate and key.
	SecretNamespace string `json:"secretNamespace,omitempty"`
	SecretName      string `json:"secretName,omitempty"`
	From            Ref    `json:"from"`
}

// Compare orders roots by name.
func (r Root) Compare(s Root) int { return cmp.Or(cmp.Compare(r.Name, s.Name), r.From.Compare(s.From)) }
