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
	// room is where parts come from, and text where what is written for this response alone comes to stand, so that a
	// response is a handful of allocations however many resources it has.
	room []part
	text []byte
}

// part is a part in a row of others: as a plain mem.SliceBuffer each would be allocated by itself.
type part struct{ mem.SliceBuffer }

// newResponse makes room for a response with so many resources, whose names and versions have so many bytes in all.
func newResponse(url string, head, resources, names int) *response {
	const numbers = 32 // the tags and lengths of a resource
	return &response{
		parts: make(mem.BufferSlice, 0, 2*resources+1), room: make([]part, 0, 2*resources+1),
		text: make([]byte, 0, head+names+resources*(len(url)+numbers)),
	}
}

// add appends a part, which must not be written to.
func (r *response) add(b []byte) {
	r.room = append(r.room, part{b})
	r.parts = append(r.parts, &r.room[len(r.room)-1])
	r.size += len(b)
}

// write appends a part that is written by a function.
func (r *response) write(text func(b []byte) []byte) {
	start := len(r.text)
	r.text = text(r.text)
	r.add(r.text[start:len(r.text):len(r.text)])
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
func anyHead(b []byte, url string, size int) []byte {
	return appendHead(appendString(b, anyType, url), anyValue, size)
}

func sizeOfAnyHead(url string, size int) int {
	return sizeOfString(anyType, url) + sizeOfHead(anyValue, size)
}

func sizeOfString(field protowire.Number, text string) int {
	return protowire.SizeTag(field) + protowire.SizeBytes(len(text))
}

func sizeOfHead(field protowire.Number, size int) int {
	return protowire.SizeTag(field) + protowire.SizeVarint(uint64(size))
}

// addResource appends a resource of a DeltaDiscoveryResponse.
func (r *response) addResource(url, name, version string, value []byte) {
	r.write(func(b []byte) []byte {
		packed := sizeOfAnyHead(url, len(value)) + len(value)
		b = appendHead(b, deltaResources, sizeOfString(resourceVersion, version)+sizeOfString(resourceName, name)+sizeOfHead(resourceAny, packed)+packed)
		b = appendString(appendString(b, resourceVersion, version), resourceName, name)
		return anyHead(appendHead(b, resourceAny, packed), url, len(value))
	})
	r.add(value)
}

// addAny appends a resource of a DiscoveryResponse.
func (r *response) addAny(url string, value []byte) {
	r.write(func(b []byte) []byte {
		b = appendHead(b, stateResources, sizeOfAnyHead(url, len(value))+len(value))
		return anyHead(b, url, len(value))
	})
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
type unread struct{ mem.BufferSlice }

// read hands the bytes of the next message of a stream to a function, which must not keep them.
func read(stream grpc.ServerStream, decode func([]byte) (request, error)) (request, error) {
	var u unread
	if err := stream.RecvMsg(&u); err != nil {
		return request{}, err
	}
	defer u.Free()
	buffer := u.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	return decode(buffer.ReadOnlyData())
}

// decoded decodes a message.
func decoded(b []byte, message proto.Message) error {
	if err := proto.Unmarshal(b, message); err != nil {
		return refuse(codes.InvalidArgument, "garbage", "a request cannot be read: %v", err)
	}
	return nil
}

// Unmarshal implements encoding.CodecV2.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	if u, ok := v.(*unread); ok {
		data.Ref()
		u.BufferSlice = data
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
