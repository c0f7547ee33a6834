package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// A floor is what the result of a compilation costs when everything is known before: each distinct resource of it, once.
//
// Outside of the measurement, every resource is decoded, and so is every configuration that is packed in it as an Any,
// however deep. Inside of it, each of these messages is built, which is a deep copy: it allocates and fills every
// message, list and map as code with literals does. Packed ones are marshalled deterministically and put into the message
// that holds them; the resource is marshalled deterministically, hashed with SHA-256, and the hash is written as
// hexadecimal digits. So the floor does all that a compiler without a thought must do, and nothing else: it looks nothing
// up, decides nothing, makes no names, and does not know which proxy gets what.
//
// It builds whole resources. What two resources have in common, such as a virtual host or a filter chain, is built for
// each; a compiler that builds it once can be below 1.
type floor []*piece

// piece is a message that is marshalled by itself: a resource, or what an Any holds.
type piece struct {
	message proto.Message
	packed  []packed
}

// packed is an Any in a message, and what is packed into it.
type packed struct {
	into *anypb.Any
	what *piece
}

func newFloor(output *compiler.Output) (floor, error) {
	var f floor
	known := map[*compiler.Resource]bool{}
	for class := range output.Classes.Values() {
		for _, list := range []model.List[*compiler.Resource]{class.Listeners, class.Routes, class.Clusters, class.Endpoints} {
			for resource := range list.Values() {
				if known[resource] {
					continue
				}
				known[resource] = true
				message, err := resource.Message()
				if err != nil {
					return nil, err
				}
				p, err := newPiece(message)
				if err != nil {
					return nil, fmt.Errorf("resource %s: %w", resource.Name, err)
				}
				f = append(f, p)
			}
		}
	}
	return f, nil
}

func newPiece(message proto.Message) (*piece, error) {
	p := &piece{message: message}
	for _, into := range anysIn(message.ProtoReflect()) {
		inner, err := into.UnmarshalNew()
		if err != nil {
			return nil, err
		}
		what, err := newPiece(inner)
		if err != nil {
			return nil, err
		}
		into.Value = nil
		p.packed = append(p.packed, packed{into, what})
	}
	return p, nil
}

// anysIn finds every Any in a message; those within an Any are its content's.
func anysIn(m protoreflect.Message) []*anypb.Any {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		return []*anypb.Any{packed}
	}
	var found []*anypb.Any
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsMap():
			if field.MapValue().Message() == nil {
				break
			}
			value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				found = append(found, anysIn(v.Message())...)
				return true
			})
		case field.IsList():
			for i := range value.List().Len() {
				found = append(found, anysIn(value.List().Get(i).Message())...)
			}
		default:
			found = append(found, anysIn(value.Message())...)
		}
		return true
	})
	return found
}

// built is a resource of the floor.
type built struct {
	bytes   []byte
	version string
}

// build is what is measured.
func (f floor) build() []built {
	result := make([]built, 0, len(f))
	for _, p := range f {
		b := p.build()
		sum := sha256.Sum256(b)
		result = append(result, built{b, hex.EncodeToString(sum[:])})
	}
	return result
}

// build makes the message anew and marshals it. The bytes of packed messages pass through the original, whose copy has
// its own: one copy of bytes more than literals need, and no more.
func (p *piece) build() []byte {
	for _, inner := range p.packed {
		inner.into.Value = inner.what.build()
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(proto.Clone(p.message))
	if err != nil {
		panic(err)
	}
	return b
}
