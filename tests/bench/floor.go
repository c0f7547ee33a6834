package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// A floor is what the result of a compilation costs when everything is known before: each distinct resource of it, once.
//
// Outside of the measurement, every resource is decoded, and so is every configuration that is packed in it as an Any,
// however deep. Inside of it, each of these messages is built anew by a maker; packed ones are marshalled
// deterministically and put into the message that holds them; the resource is marshalled deterministically and hashed
// with SHA-256, and the hash is written as hexadecimal digits. So the floor does all that a straightforward compiler must
// do at the least, and nothing else: it looks nothing up, decides nothing, makes no names, and does not know which proxy
// gets what.
//
// What two resources have in common, such as a virtual host or a packed access log, is built for each. A compiler that
// builds it once is faster than that, so there is a second floor that shares everything that can be shared: each distinct
// packed configuration, filter chain, matcher and virtual host is built, marshalled and hashed once in the whole mesh, and
// the rest of the resource around it.
type floor struct {
	resources []func() []byte
	// contents are what is marshalled before the resources that hold it, each after what it holds itself. ready are the
	// bytes of each.
	contents []func() []byte
	ready    [][]byte
	// known are the contents by type and bytes; nil when nothing is shared.
	known map[string]int
}

// newFloor is the floor that builds whole resources.
func newFloor(output *compiler.Output) (*floor, error) { return (&floor{}).of(output) }

// newSharedFloor is the floor that builds each part once.
func newSharedFloor(output *compiler.Output) (*floor, error) {
	return (&floor{known: map[string]int{}}).of(output)
}

func (f *floor) of(output *compiler.Output) (*floor, error) {
	for _, resource := range distinct(output) {
		message, err := resource.Message()
		if err != nil {
			return nil, fmt.Errorf("resource %s: %w", resource.Name, err)
		}
		f.resources = append(f.resources, f.newResource(message))
	}
	f.ready = make([][]byte, len(f.contents))
	return f, nil
}

// distinct are the resources of all classes, each once.
func distinct(output *compiler.Output) []*compiler.Resource {
	var resources []*compiler.Resource
	known := map[*compiler.Resource]bool{}
	for class := range output.Classes.Values() {
		for _, list := range []model.List[*compiler.Resource]{class.Listeners, class.Routes, class.Clusters, class.Endpoints} {
			for resource := range list.Values() {
				if !known[resource] {
					known[resource] = true
					resources = append(resources, resource)
				}
			}
		}
	}
	return resources
}

// content is a message that is marshalled before what holds it; its bytes are there when that is built.
func (f *floor) content(message proto.Message) func() []byte {
	key := string(message.ProtoReflect().Descriptor().FullName()) + string(marshal(message))
	i, ok := f.known[key]
	if !ok {
		build := f.newBuild(message)
		i = len(f.contents)
		f.contents = append(f.contents, build)
		if f.known != nil {
			f.known[key] = i
		}
	}
	return func() []byte { return f.ready[i] }
}

// partFields are the fields of resources whose values resources can have in common.
var partFields = []protoreflect.Name{"filter_chains", "default_filter_chain", "filter_chain_matcher", "virtual_hosts"}

// newResource builds a resource whole, or, when parts are shared, appends their bytes to the rest of it.
func (f *floor) newResource(message proto.Message) func() []byte {
	if f.known == nil {
		return f.newBuild(message)
	}
	type part struct {
		number protowire.Number
		bytes  func() []byte
	}
	var parts []part
	m := message.ProtoReflect()
	for _, name := range partFields {
		field := m.Descriptor().Fields().ByName(name)
		if field == nil || !m.Has(field) {
			continue
		}
		for _, p := range messagesIn(field, m.Get(field)) {
			parts = append(parts, part{field.Number(), f.content(p)})
		}
		m.Clear(field)
	}
	rest := f.newBuild(message)
	return func() []byte {
		b := rest()
		size := 0
		for _, p := range parts {
			size += protowire.SizeTag(p.number) + protowire.SizeBytes(len(p.bytes()))
		}
		b = slices.Grow(b, size)
		for _, p := range parts {
			b = protowire.AppendBytes(protowire.AppendTag(b, p.number, protowire.BytesType), p.bytes())
		}
		return b
	}
}

func messagesIn(field protoreflect.FieldDescriptor, value protoreflect.Value) []proto.Message {
	if !field.IsList() {
		return []proto.Message{value.Message().Interface()}
	}
	var list []proto.Message
	for i := range value.List().Len() {
		list = append(list, value.List().Get(i).Message().Interface())
	}
	return list
}

// built is a resource of the floor.
type built struct {
	bytes   []byte
	version string
}

// build is what is measured.
func (f *floor) build() []built {
	for i, build := range f.contents {
		f.ready[i] = build()
		if f.known != nil {
			version(f.ready[i])
		}
	}
	result := make([]built, 0, len(f.resources))
	for _, build := range f.resources {
		b := build()
		result = append(result, built{b, version(b)})
	}
	return result
}

func version(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
