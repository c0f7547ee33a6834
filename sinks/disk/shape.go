package disk

import (
	"cmp"
	"slices"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// shapes has the shape of every type of message that was met. It may be used by several goroutines.
type shapes struct {
	mu sync.RWMutex
	// known are shapes by the name and by the type URLs of their messages.
	known map[string]*shape
	// structures are texts that were written before.
	structures map[structureKey][]byte
}

func newShapes() *shapes {
	return &shapes{known: map[string]*shape{}, structures: map[structureKey][]byte{}}
}

// shape is what a type of message looks like as YAML.
type shape struct {
	name protoreflect.FullName
	kind shapeKind
	// fields are by their numbers.
	fields map[int32]*field
}

// shapeKind says how messages of a type are written.
type shapeKind int

const (
	// mappingShape is a mapping of fields, as almost every message is.
	mappingShape shapeKind = iota
	anyShape
	durationShape
	// wrapperShape is a scalar that may be absent, such as google.protobuf.BoolValue.
	wrapperShape
	structShape
	listShape
	valueShape
	// foreignShape is what is seldom met and has rules of its own; protojson writes it.
	foreignShape
)

// field is a field of a message.
type field struct {
	// key is the name as it is written, with its colon; order its place among the fields, by name.
	key   []byte
	order int
	kind  protoreflect.Kind
	// repeated is set for lists and maps; of a map, entry is the shape of its pairs.
	repeated bool
	entry    *shape
	// implicit says that the zero value is the same as none. oneof is the number of the group of which only one field can
	// be set; 0 for none.
	implicit bool
	oneof    int
	// names are the names of an enumeration's numbers; a number without one is null if the enumeration is null itself.
	names map[int32]string
	null  bool

	message func() *shape
}

// ofURL is the shape of the type that a URL names.
func (s *shapes) ofURL(url []byte) (*shape, error) {
	s.mu.RLock()
	known := s.known[string(url)]
	s.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByURL(string(url))
	if err != nil {
		return nil, err
	}
	made := s.of(kind.Descriptor())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[string(url)] = made
	return made, nil
}

// of is the shape of a type.
func (s *shapes) of(d protoreflect.MessageDescriptor) *shape {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.known[string(d.FullName())]; known != nil {
		return known
	}
	made := &shape{name: d.FullName(), kind: shapeKindOf(d), fields: map[int32]*field{}}
	if made.kind != foreignShape {
		made.addFields(s, d)
	}
	s.known[string(d.FullName())] = made
	return made
}

func shapeKindOf(d protoreflect.MessageDescriptor) shapeKind {
	if d.Syntax() != protoreflect.Proto3 {
		return foreignShape
	}
	if d.ParentFile().Package() != "google.protobuf" {
		return mappingShape
	}
	switch d.Name() {
	case "Any":
		return anyShape
	case "Duration":
		return durationShape
	case "Struct":
		return structShape
	case "ListValue":
		return listShape
	case "Value":
		return valueShape
	case "BoolValue", "Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "FloatValue", "DoubleValue", "StringValue", "BytesValue":
		return wrapperShape
	}
	return foreignShape
}

func (m *shape) addFields(s *shapes, d protoreflect.MessageDescriptor) {
	var all []protoreflect.FieldDescriptor
	for i := range d.Fields().Len() {
		all = append(all, d.Fields().Get(i))
	}
	slices.SortFunc(all, func(a, b protoreflect.FieldDescriptor) int { return cmp.Compare(a.Name(), b.Name()) })
	for order, f := range all {
		m.fields[int32(f.Number())] = s.field(f, order)
	}
}

func (s *shapes) field(d protoreflect.FieldDescriptor, order int) *field {
	f := &field{key: appendKey(nil, string(d.Name()), 0), order: order, kind: d.Kind(), repeated: d.IsList() || d.IsMap(), implicit: !d.HasPresence() && !d.IsList() && !d.IsMap()}
	if group := d.ContainingOneof(); group != nil && !group.IsSynthetic() {
		f.oneof = group.Index() + 1
	}
	if enum := d.Enum(); enum != nil {
		f.names, f.null = namesOf(enum), enum.FullName() == "google.protobuf.NullValue"
	}
	if d.IsMap() {
		f.entry = s.pair(d)
	}
	if message := d.Message(); message != nil {
		f.message = sync.OnceValue(func() *shape { return s.of(message) })
	}
	return f
}

// The numbers of the fields of a pair in a map.
const (
	keyNumber   = 1
	valueNumber = 2
)

// pair is the shape of the pairs of a map. Of a pair, what is not there has the zero value, and is written all the same.
func (s *shapes) pair(d protoreflect.FieldDescriptor) *shape {
	key, value := s.field(d.MapKey(), 0), s.field(d.MapValue(), 1)
	key.implicit, value.implicit = false, false
	return &shape{name: d.FullName(), fields: map[int32]*field{keyNumber: key, valueNumber: value}}
}

func namesOf(enum protoreflect.EnumDescriptor) map[int32]string {
	names := map[int32]string{}
	for i := range enum.Values().Len() {
		value := enum.Values().Get(i)
		if number := int32(value.Number()); names[number] == "" {
			names[number] = string(value.Name())
		}
	}
	return names
}
