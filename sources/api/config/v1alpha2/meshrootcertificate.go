package v1alpha2

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MeshRootCertificate declares a certificate authority of the mesh. It counts in the namespace of the control plane. To
// replace one without losing a connection, a second one is added, and the roles are changed.
type MeshRootCertificate struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              MeshRootCertificateSpec   `json:"spec,omitempty"`
	Status            MeshRootCertificateStatus `json:"status,omitempty"`
}

// MeshRootCertificateSpec is what can be set.
type MeshRootCertificateSpec struct {
	// TrustDomain is the host part of every identity's URI; default cluster.local.
	TrustDomain string `json:"trustDomain,omitempty"`
	// Role is active: it signs and is trusted; passive: it is trusted; or inactive. Default active.
	Role MeshRootCertificateRole `json:"role,omitempty"`
	// Provider says what kind of authority it is, and where. Exactly one kind is set.
	Provider ProviderSpec `json:"provider"`
	// SPIFFEEnabled has no effect: identities are always SPIFFE IDs.
	SPIFFEEnabled bool `json:"spiffeEnabled,omitempty"`
}

// MeshRootCertificateRole is what a root is for.
type MeshRootCertificateRole string

// The roles.
const (
	ActiveRole   MeshRootCertificateRole = "active"
	PassiveRole  MeshRootCertificateRole = "passive"
	InactiveRole MeshRootCertificateRole = "inactive"
)

// ProviderSpec is one kind of authority.
type ProviderSpec struct {
	Tresor      *TresorProviderSpec      `json:"tresor,omitempty"`
	Vault       *VaultProviderSpec       `json:"vault,omitempty"`
	CertManager *CertManagerProviderSpec `json:"certManager,omitempty"`
}

// TresorProviderSpec is an authority whose certificate and key are in a Secret.
type TresorProviderSpec struct {
	CA TresorCASpec `json:"ca"`
}

// TresorCASpec says where they are.
type TresorCASpec struct {
	SecretRef SecretReference `json:"secretRef"`
}

// SecretReference names a Secret.
type SecretReference struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// VaultProviderSpec is a Vault server that issues certificates.
type VaultProviderSpec struct {
	Host     string         `json:"host"`
	Port     int            `json:"port"`
	Role     string         `json:"role"`
	Protocol string         `json:"protocol"`
	Token    VaultTokenSpec `json:"token"`
}

// VaultTokenSpec says where the token for Vault is.
type VaultTokenSpec struct {
	SecretKeyRef SecretKeyReference `json:"secretKeyRef"`
}

// SecretKeyReference names a key of a Secret.
type SecretKeyReference struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
}

// CertManagerProviderSpec is an issuer of cert-manager.
type CertManagerProviderSpec struct {
	IssuerName  string `json:"issuerName"`
	IssuerKind  string `json:"issuerKind"`
	IssuerGroup string `json:"issuerGroup"`
}

// MeshRootCertificateStatus is what a controller last said of the root. Nothing of it is read.
type MeshRootCertificateStatus struct {
	State             string             `json:"state,omitempty"`
	TransitionAfter   *metav1.Time       `json:"transitionAfter,omitempty"`
	ComponentStatuses *ComponentStatuses `json:"componentStatuses,omitempty"`
	Conditions        []metav1.Condition `json:"conditions,omitempty"`
}

// ComponentStatuses say how far each part of the mesh is with the root.
type ComponentStatuses struct {
	ValidatingWebhook string `json:"validatingWebhook,omitempty"`
	MutatingWebhook   string `json:"mutatingWebhook,omitempty"`
	XDSControlPlane   string `json:"xdsControlPlane,omitempty"`
	Sidecar           string `json:"sidecar,omitempty"`
	Bootstrap         string `json:"bootstrap,omitempty"`
	Gateway           string `json:"gateway,omitempty"`
}
