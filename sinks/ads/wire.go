package ads

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Responses are put together from resources that are marshalled already: a message of protocol buffers is the
// concatenation of its fields. gRPC takes the parts as they are, so that a resource is in memory once, however many
// proxies it is being sent to.

// response is a response in parts.
type response struct {
	parts mem.BufferSlice
	size  int
}

// add appends a part, which must not be written to.
func (r *response) add(b []byte) {
	r.parts = append(r.parts, mem.SliceBuffer(b))
	r.size += len(b)
}

// The fields of service.discovery.v3.
const (
	deltaResources = 2
	deltaType      = 4
	deltaNonce     = 5
	deltaRemoved   = 6

	resourceVersion = 1
	resourceAny     = 2
	resourceName    = 3

	stateVersion   = 1
	stateResources = 2
	stateType      = 4
	stateNonce     = 5

	anyType  = 1
	anyValue = 2
)

func appendString(b []byte, field protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), text)
}

// appendHead begins a field of which size bytes come after.
func appendHead(b []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size))
}

// anyHead is the beginning of a google.protobuf.Any up to the value, whose size it tells.
func anyHead(url string, size int) []byte {
	return appendHead(appendString(nil, anyType, url), anyValue, size)
}

// addResource appends a resource of a DeltaDiscoveryResponse.
func (r *response) addResource(url, name, version string, value []byte) {
	head := anyHead(url, len(value))
	inner := appendString(appendString(nil, resourceVersion, version), resourceName, name)
	inner = appendHead(inner, resourceAny, len(head)+len(value))
	inner = append(inner, head...)
	r.add(append(appendHead(nil, deltaResources, len(inner)+len(value)), inner...))
	r.add(value)
}

// addAny appends a resource of a DiscoveryResponse.
func (r *response) addAny(url string, value []byte) {
	head := anyHead(url, len(value))
	r.add(append(appendHead(nil, stateResources, len(head)+len(value)), head...))
	r.add(value)
}

// codec is how messages become bytes: responses are bytes already, everything else is as usual.
type codec struct{}

// Marshal implements encoding.CodecV2.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	switch v := v.(type) {
	case *response:
		return v.parts, nil
	case proto.Message:
		b, err := proto.Marshal(v)
		return mem.BufferSlice{mem.SliceBuffer(b)}, err
	}
	return nil, fmt.Errorf("a %T is no message", v)
}

// unread is a message as it came. What cannot be read is the server's to answer, and not gRPC's.
type unread []byte

// read decodes the next message of a stream.
func read(stream grpc.ServerStream, message proto.Message) error {
	var u unread
	if err := stream.RecvMsg(&u); err != nil {
		return err
	}
	if err := proto.Unmarshal(u, message); err != nil {
		return refuse(codes.InvalidArgument, "garbage", "a request cannot be read: %v", err)
	}
	return nil
}

// Unmarshal implements encoding.CodecV2.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	if u, ok := v.(*unread); ok {
		*u = data.Materialize()
		return nil
	}
	message, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("a %T is no message", v)
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	return proto.Unmarshal(buffer.ReadOnlyData(), message)
}

// Name implements encoding.CodecV2.
func (codec) Name() string { return "proto" }
