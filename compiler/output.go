package compiler

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/flomesh-io/fsmc/model"
)

// Output is one configuration for each class of proxies, and the class of each proxy.
type Output struct {
	// Classes are in order of their names.
	Classes model.List[*Class]
	// Counters tell how much work the compilation was.
	Counters Counters

	settings model.Settings
	proxies  map[model.ProxyID]placed
}

// placed is a proxy and the class that it belongs to.
type placed struct {
	proxy *model.Proxy
	class *Class
}

// ClassOf is the class of a proxy.
func (o *Output) ClassOf(id model.ProxyID) (*Class, bool) {
	p, ok := o.proxies[id]
	return p.class, ok
}

// Class is the configuration that a set of proxies shares, in the form in which it is served over ADS: resources refer
// to each other by name.
type Class struct {
	// Name is <namespace>/<service account>~<hash of what makes the class>.
	Name     string
	Identity model.Identity
	// Proxies are in order.
	Proxies   model.List[model.ProxyID]
	Listeners model.List[*Resource]
	Routes    model.List[*Resource]
	Clusters  model.List[*Resource]
	// Endpoints are cluster load assignments.
	Endpoints model.List[*Resource]
	// Secrets are the slots that resources of the class refer to; a sink fills them.
	Secrets model.List[Slot]
}

// Resource is one Envoy resource, marshalled. Equal resources are one pointer within an Output.
type Resource struct {
	// Type is the type URL, such as type.googleapis.com/envoy.config.cluster.v3.Cluster.
	Type string
	// Name is unique within its type and class.
	Name string
	// Version is the SHA-256 of Bytes in hexadecimal digits.
	Version string
	// Bytes are the deterministic wire form. They must not be written to.
	Bytes []byte
	// From is what the resource was made of.
	From model.List[model.Ref]
	// Uses are the names of the clusters that a listener or a route table sends traffic to, in order and each once. They
	// must be ready before the resource is.
	Uses model.List[string]
}

// Message decodes the resource.
func (r *Resource) Message() (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByURL(r.Type)
	if err != nil {
		return nil, fmt.Errorf("resource %s: %w", r.Name, err)
	}
	message := kind.New().Interface()
	if err := proto.Unmarshal(r.Bytes, message); err != nil {
		return nil, fmt.Errorf("resource %s: %w", r.Name, err)
	}
	return message, nil
}

// typeURL is the type URL of a message.
func typeURL(m protoreflect.ProtoMessage) string {
	return "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName())
}

// Slot is a place for a certificate or for trusted roots. The compiler never sees what goes into it.
type Slot struct {
	Name string   `json:"name"`
	Kind SlotKind `json:"kind"`
	// Identity is whose certificate belongs into a CertificateSlot; zero for a TrustSlot.
	Identity model.Identity `json:"identity,omitzero"`
}

// SlotKind is what a slot holds.
type SlotKind string

// The kinds of slots.
const (
	// CertificateSlot holds the certificate chain and private key of the proxy's own identity.
	CertificateSlot SlotKind = "certificate"
	// TrustSlot holds the mesh's trusted root certificates.
	TrustSlot SlotKind = "trust"
)

// Counters tell how much work a compilation was. They depend on the classes of a mesh and not on its replicas.
type Counters struct {
	// Views is the number of views computed.
	Views int `json:"views"`
	// Specs is the number of times that a spec was looked up, Builds how many of them had to be built.
	Specs  int `json:"specs"`
	Builds int `json:"builds"`
	// Bytes is the size of all distinct resources that were built.
	Bytes int `json:"bytes"`
}
