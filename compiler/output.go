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

	// Reused tells what was taken over from a previous output.
	Reused Reused

	settings model.Settings
	// state is what the next compilation begins with; nil in an Output that Compile has not made.
	state *state
}

// placed is a proxy and the class that it belongs to.
type placed struct {
	proxy *model.Proxy
	class *Class
}

// placed finds a proxy.
func (o *Output) placed(id model.ProxyID) (placed, bool) {
	class, ok := o.ClassOf(id)
	if !ok {
		return placed{}, false
	}
	proxy, _ := o.state.mesh.Proxy(id)
	return placed{proxy, class}, true
}

// ClassOf is the class of a proxy.
func (o *Output) ClassOf(id model.ProxyID) (*Class, bool) {
	if o.state == nil {
		return nil, false
	}
	k, ok := o.state.kinds.get(id)
	if !ok {
		return nil, false
	}
	return o.state.place(k).class, true
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

// equal says whether two classes have the same name, proxies and resources.
func (c *Class) equal(d *Class) bool {
	return c.Name == d.Name && model.Equal(c.Proxies, d.Proxies) && model.Equal(c.Secrets, d.Secrets) &&
		model.Equal(c.Listeners, d.Listeners) && model.Equal(c.Routes, d.Routes) &&
		model.Equal(c.Clusters, d.Clusters) && model.Equal(c.Endpoints, d.Endpoints)
}

// Resource is one Envoy resource, marshalled. Equal resources are one pointer within an Output, and in all Outputs that
// were compiled from one another.
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

	sum   specSum
	parts []*part
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

// Counters tell how much work a compilation was. They depend on the classes of a mesh and not on its replicas; and, of
// what was compiled from a previous output, on what was left to do.
type Counters struct {
	// Views is the number of views computed.
	Views int `json:"views"`
	// Specs is the number of times that a spec was looked up, Builds how many of them had to be built.
	Specs  int `json:"specs"`
	Builds int `json:"builds"`
	// Bytes is the size of all distinct resources that were built.
	Bytes int `json:"bytes"`
}

// Reused tells how much of an output was taken over from a previous one, by its pointers.
type Reused struct {
	// Classes is the number of classes that are the same, Views the number of views.
	Classes int `json:"classes"`
	Views   int `json:"views"`
}
