package compiler

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// appendParts appends marshalled messages as elements of a repeated message field. A message is the concatenation of
// its fields in any order, so that a big one is made of parts that are marshalled once.
func appendParts(b []byte, field protowire.Number, parts []*part) []byte {
	size := 0
	for _, p := range parts {
		size += protowire.SizeTag(field) + protowire.SizeBytes(len(p.bytes))
	}
	b = slices.Grow(b, size)
	for _, p := range parts {
		b = appendField(b, field, p.bytes)
	}
	return b
}

// appendField appends a field that is a marshalled message.
func appendField(b []byte, field protowire.Number, message []byte) []byte {
	b = slices.Grow(b, protowire.SizeTag(field)+protowire.SizeBytes(len(message)))
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), message)
}

// fieldNumber is the number of a field of a message; a name that does not exist is a bug in this program.
func fieldNumber(message proto.Message, name string) protowire.Number {
	for i := range message.ProtoReflect().Descriptor().Fields().Len() {
		if f := message.ProtoReflect().Descriptor().Fields().Get(i); string(f.Name()) == name {
			return f.Number()
		}
	}
	panic("compiler: no field " + name)
}

// packed wraps a message as an Any, deterministically.
func packed(message proto.Message) *anypb.Any {
	return &anypb.Any{TypeUrl: typeURL(message), Value: marshal(message)}
}

func yes() *wrapperspb.BoolValue { return wrapperspb.Bool(true) }

func seconds(n int64) *durationpb.Duration { return &durationpb.Duration{Seconds: n} }
