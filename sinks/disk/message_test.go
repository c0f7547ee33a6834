package disk

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	httprbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"
)

// messageTypes are types of messages that are written: those that we serve, and those with rules of their own.
func messageTypes(t testing.TB) []protoreflect.MessageType {
	types := []protoreflect.MessageType{everyKind(t)}
	for _, m := range []proto.Message{
		&bootstrapv3.Bootstrap{}, &listenerv3.Listener{}, &routev3.RouteConfiguration{}, &clusterv3.Cluster{}, &endpointv3.ClusterLoadAssignment{},
		&hcmv3.HttpConnectionManager{}, &httprbacv3.RBACPerRoute{}, &discoveryv3.DeltaDiscoveryResponse{},
		&anypb.Any{}, &structpb.Struct{}, &structpb.Value{}, &structpb.ListValue{}, &durationpb.Duration{}, &timestamppb.Timestamp{}, &emptypb.Empty{},
		&fieldmaskpb.FieldMask{}, &wrapperspb.DoubleValue{}, &wrapperspb.Int64Value{}, &wrapperspb.BytesValue{}, &wrapperspb.StringValue{},
		&wrapperspb.BoolValue{}, &apipb.Api{}, &descriptorpb.FileDescriptorProto{},
	} {
		types = append(types, m.ProtoReflect().Type())
	}
	return types
}

// everyKind is a message that has every kind of field: one that is set or zero, one that is set or not, one of two, a
// list, and maps with every kind of key.
func everyKind(t testing.TB) protoreflect.MessageType {
	t.Helper()
	const any = ".google.protobuf.Any"
	message := &descriptorpb.DescriptorProto{Name: proto.String("Every"), OneofDecl: []*descriptorpb.OneofDescriptorProto{{Name: proto.String("choice")}}}
	number := int32(0)
	add := func(name string, kind descriptorpb.FieldDescriptorProto_Type, typeName string, label descriptorpb.FieldDescriptorProto_Label) *descriptorpb.FieldDescriptorProto {
		number++
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: proto.Int32(number), Type: &kind, Label: &label}
		if typeName != "" {
			f.TypeName = &typeName
		}
		message.Field = append(message.Field, f)
		return f
	}
	for kind := descriptorpb.FieldDescriptorProto_TYPE_DOUBLE; kind <= descriptorpb.FieldDescriptorProto_TYPE_SINT64; kind++ {
		typeName := ""
		switch kind {
		case descriptorpb.FieldDescriptorProto_TYPE_GROUP:
			continue
		case descriptorpb.FieldDescriptorProto_TYPE_MESSAGE:
			typeName = ".every.Every"
		case descriptorpb.FieldDescriptorProto_TYPE_ENUM:
			typeName = ".every.Word"
		}
		add(fmt.Sprintf("z%d_implicit", kind), kind, typeName, descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL)
		add(fmt.Sprintf("a%d_list", kind), kind, typeName, descriptorpb.FieldDescriptorProto_LABEL_REPEATED)
		choice := add(fmt.Sprintf("n%d_choice", kind), kind, typeName, descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL)
		choice.OneofIndex = proto.Int32(0)
		entry := fmt.Sprintf("M%dMapEntry", kind)
		add(fmt.Sprintf("m%d_map", kind), descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".every.Every."+entry, descriptorpb.FieldDescriptorProto_LABEL_REPEATED)
		key, value := kind, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
		switch kind { // These are no keys; they are the values.
		case descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, descriptorpb.FieldDescriptorProto_TYPE_FLOAT, descriptorpb.FieldDescriptorProto_TYPE_BYTES,
			descriptorpb.FieldDescriptorProto_TYPE_ENUM, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE:
			key, value = descriptorpb.FieldDescriptorProto_TYPE_STRING, kind
		}
		if value == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
			typeName = any
		}
		of := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()
		pair := []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("key"), Number: proto.Int32(1), Type: &key, Label: of}, {Name: proto.String("value"), Number: proto.Int32(2), Type: &value, Label: of},
		}
		if typeName != "" {
			pair[1].TypeName = &typeName
		}
		message.NestedType = append(message.NestedType, &descriptorpb.DescriptorProto{
			Name: &entry, Field: pair, Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
		})
	}
	optional := add("optional", descriptorpb.FieldDescriptorProto_TYPE_UINT32, "", descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL)
	optional.Proto3Optional, optional.OneofIndex = proto.Bool(true), proto.Int32(1)
	message.OneofDecl = append(message.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String("_optional")})
	add("null", descriptorpb.FieldDescriptorProto_TYPE_ENUM, ".google.protobuf.NullValue", descriptorpb.FieldDescriptorProto_LABEL_REPEATED)
	// The fields of a choice must stand together.
	slices.SortStableFunc(message.Field, func(a, b *descriptorpb.FieldDescriptorProto) int { return -cmp.Compare(a.GetName()[0], b.GetName()[0]) })
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("every.proto"), Package: proto.String("every"), Syntax: proto.String("proto3"),
		Dependency:  []string{"google/protobuf/any.proto", "google/protobuf/struct.proto"},
		MessageType: []*descriptorpb.DescriptorProto{message},
		EnumType: []*descriptorpb.EnumDescriptorProto{{
			Name: proto.String("Word"), Options: &descriptorpb.EnumOptions{AllowAlias: proto.Bool(true)},
			Value: []*descriptorpb.EnumValueDescriptorProto{
				{Name: proto.String("NO"), Number: proto.Int32(0)}, {Name: proto.String("GREEN"), Number: proto.Int32(1)},
				{Name: proto.String("VERDE"), Number: proto.Int32(1)}, {Name: proto.String("LESS"), Number: proto.Int32(-7)},
			},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessageType(file.Messages().Get(0))
}

// compareMessage compares what is written of a wire form with what is written of it by way of JSON.
func compareMessage(t interface{ Fatalf(string, ...any) }, kind protoreflect.MessageType, wire []byte) {
	want, wantErr := byWayOfJSON(kind, wire)
	w := messageWriter{shapes: newShapes()}
	_, _ = w.message(nil, w.shapes.of(kind.Descriptor()), wire, spot{}) // What is kept of the first time must not show.
	got, err := w.message(nil, w.shapes.of(kind.Descriptor()), wire, spot{})
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%s %x: %v; by way of JSON: %v\n%s\n%s", kind.Descriptor().FullName(), wire, err, wantErr, got, want)
	}
	if wantErr == nil && !bytes.Equal(got, want) {
		t.Fatalf("%s %x is written differently (-by way of JSON +got):\n%s", kind.Descriptor().FullName(), wire, gocmp.Diff(string(want), string(got)))
	}
	if len(w.entries) > 0 {
		t.Fatalf("%d entries are left behind", len(w.entries))
	}
}

func byWayOfJSON(kind protoreflect.MessageType, wire []byte) ([]byte, error) {
	message := kind.New().Interface()
	if err := proto.Unmarshal(wire, message); err != nil {
		return nil, err
	}
	decoded, err := decode(message)
	if err != nil {
		return nil, err
	}
	return appendYAML(nil, decoded), nil
}

func TestMessagesAreWrittenAsByWayOfJSON(t *testing.T) {
	for _, kind := range messageTypes(t) {
		t.Run(string(kind.Descriptor().FullName()), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				// Two messages behind one another are one, in which the second is merged.
				wire := []byte{}
				for range rapid.IntRange(1, 2).Draw(t, "messages") {
					wire = append(wire, anyWire(t, kind, 3)...)
				}
				compareMessage(t, kind, wire)
			})
		})
	}
}

// FuzzMessage writes whatever bytes a message may be.
func FuzzMessage(f *testing.F) {
	types := messageTypes(f)
	for i := range types {
		f.Add(uint8(i), []byte{0x0a, 0x02, 0x08, 0x01})
		f.Add(uint8(i), []byte{0x08, 0x80, 0x80, 0x80, 0x80, 0x10})
		f.Add(uint8(i), []byte{0x0a, 0x00, 0x0b, 0x0c, 0x12, 0x01, 0xff})
	}
	f.Fuzz(func(t *testing.T, i uint8, wire []byte) {
		compareMessage(t, types[int(i)%len(types)], wire)
	})
}

// anyWire draws a message.
func anyWire(t *rapid.T, kind protoreflect.MessageType, depth int) []byte {
	message := kind.New()
	fillMessage(t, message, depth)
	wire, err := proto.MarshalOptions{AllowPartial: true}.Marshal(message.Interface())
	if err != nil {
		t.Fatalf("%v: %v", message, err)
	}
	return wire
}

// fillMessage sets some fields.
func fillMessage(t *rapid.T, m protoreflect.Message, depth int) {
	switch v := m.Interface().(type) {
	case *anypb.Any:
		fillAny(t, v, depth)
		return
	case *durationpb.Duration:
		v.Seconds, v.Nanos = rapid.OneOf(rapid.Int64Range(0, 400000), rapid.Int64()).Draw(t, "seconds"), rapid.SampledFrom([]int32{0, 5e8, 25e6, 1000, 1, -1, 1e9}).Draw(t, "nanos")
		return
	}
	fields := m.Descriptor().Fields()
	if fields.Len() == 0 {
		return
	}
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		f := fields.Get(rapid.IntRange(0, fields.Len()-1).Draw(t, "field"))
		fillField(t, m, f, depth-1)
	}
}

func fillAny(t *rapid.T, a *anypb.Any, depth int) {
	types := []proto.Message{
		&hcmv3.HttpConnectionManager{}, &httprbacv3.RBAC{}, &wrapperspb.Int64Value{}, &durationpb.Duration{}, &structpb.Struct{}, &structpb.ListValue{},
		&emptypb.Empty{}, &anypb.Any{}, &apipb.Api{}, &descriptorpb.FieldDescriptorProto{}, &clusterv3.Cluster{},
	}
	i := rapid.IntRange(-1, len(types)-1).Draw(t, "packed")
	if i < 0 || depth < 0 {
		return
	}
	a.TypeUrl = "type.googleapis.com/" + string(types[i].ProtoReflect().Descriptor().FullName())
	a.Value = anyWire(t, types[i].ProtoReflect().Type(), depth-1)
}

func fillField(t *rapid.T, m protoreflect.Message, f protoreflect.FieldDescriptor, depth int) {
	switch {
	case f.IsList():
		list := m.Mutable(f).List()
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			if f.Message() == nil {
				list.Append(anyScalar(t, f))
			} else if depth >= 0 {
				fillMessage(t, list.AppendMutable().Message(), depth)
			}
		}
	case f.IsMap():
		pairs := m.Mutable(f).Map()
		for range rapid.IntRange(0, 3).Draw(t, "pairs") {
			key := anyScalar(t, f.MapKey()).MapKey()
			if f.MapValue().Message() == nil {
				pairs.Set(key, anyScalar(t, f.MapValue()))
			} else if depth >= 0 {
				fillMessage(t, pairs.Mutable(key).Message(), depth)
			}
		}
	case f.Message() == nil:
		m.Set(f, anyScalar(t, f))
	case depth >= 0:
		fillMessage(t, m.Mutable(f).Message(), depth)
	}
}

func anyScalar(t *rapid.T, f protoreflect.FieldDescriptor) protoreflect.Value {
	number := rapid.OneOf(rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}), rapid.Int64())
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.OneOf(rapid.Int32Range(-8, 8), rapid.Int32()).Draw(t, "enum")))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "no", "10.0.0.1", "a: b", "a #b", "<<", "é"})).Draw(t, "string"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{float32(math.NaN()), float32(math.Inf(-1)), 1e-7, 1e21, float32(math.Copysign(0, -1))})).Draw(t, "float"))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), 1e-7, 1e-10, 1e21, math.Copysign(0, -1)})).Draw(t, "double"))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(number.Draw(t, "int32")))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(number.Draw(t, "uint32")))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(number.Draw(t, "uint64")))
	}
	return protoreflect.ValueOfInt64(number.Draw(t, "int64"))
}
