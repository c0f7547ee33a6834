package disk

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// This file writes messages as YAML from their wire form, without decoding them into Go structs, JSON and maps on the
// way: that took five times as long as everything else of a compilation. The text is byte for byte that of the detour
// (decode and appendYAML), which the tests take as the reference.
//
// A message is read once into entries, one for each field that is set or element of a list, which are then sorted by the
// names of the fields:
//
//	0a 03 'a' 'b' 'c' 20 05   →   name: abc, count: 5   →   count: 5
//	                                                        name: abc

// messageWriter writes messages, one after the other.
type messageWriter struct {
	shapes *shapes
	// entries are those of the messages at hand, from the outermost to the innermost.
	entries []entry
}

// entry is a field that is set, or an element of a repeated one.
type entry struct {
	field *field
	// text is the value of a string, of bytes or of a message; number that of anything else, as its bits.
	text   []byte
	number uint64
}

// spot is where a value goes. Its lines begin in column. Below a key it starts on a line of its own, unless it is a scalar.
type spot struct {
	column int
	below  bool
}

// appendMessage appends a message.
func (s *shapes) appendMessage(b []byte, message proto.Message, at spot) ([]byte, error) {
	wire, err := proto.Marshal(message)
	if err != nil {
		return nil, err
	}
	w := messageWriter{shapes: s}
	b = slices.Grow(b, growth*len(wire))
	return w.message(b, s.of(message.ProtoReflect().Descriptor()), wire, at)
}

// appendWire appends the message of a type that is in its wire form, as one document.
func (s *shapes) appendWire(b []byte, url string, wire []byte) ([]byte, error) {
	kind, err := s.ofURL([]byte(url))
	if err != nil {
		return nil, err
	}
	w := messageWriter{shapes: s}
	return w.message(slices.Grow(b, growth*len(wire)), kind, wire, spot{})
}

// growth is about how many times longer a message is as text.
const growth = 7

func (w *messageWriter) message(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	switch m.kind {
	case mappingShape:
		return w.mapping(b, m, nil, wire, at)
	case anyShape:
		return w.packed(b, m, wire, at)
	case durationShape:
		return w.duration(b, m, wire, at)
	case wrapperShape:
		return w.wrapper(b, m, wire, at)
	case structShape:
		return w.structure(b, m, wire, at)
	case listShape:
		return w.list(b, m, wire, at)
	case valueShape:
		return w.variant(b, m, wire, at)
	}
	return foreignMessage(b, m, wire, at)
}

// scalar begins a scalar.
func (at spot) scalar(b []byte) []byte {
	if at.below {
		return append(b, ' ')
	}
	return b
}

// mapping begins a mapping.
func (at spot) mapping(b []byte) []byte {
	if at.below {
		return appendSpaces(append(b, '\n'), at.column)
	}
	return b
}

// mapping appends the fields of a message, with the URL of its type if it was packed.
func (w *messageWriter) mapping(b []byte, m *shape, url, wire []byte, at spot) ([]byte, error) {
	first := len(w.entries)
	defer func() { w.entries = w.entries[:first] }()
	if err := w.scan(m, wire); err != nil {
		return nil, err
	}
	end := len(w.entries)
	if first == end && url == nil {
		return append(at.scalar(b), "{}\n"...), nil
	}
	b = at.mapping(b)
	if url != nil {
		b = append(appendString(append(b, `"@type": `...), url), '\n')
	}
	var err error
	for i, next := first, first; i < end && err == nil; i = next {
		for next < end && w.entries[next].field == w.entries[i].field {
			next++
		}
		if i > first || url != nil {
			b = appendSpaces(b, at.column)
		}
		b, err = w.field(append(b, w.entries[i].field.key...), i, next, at.column)
	}
	return b, err
}

// field appends the value of a field whose key stands in the given column.
func (w *messageWriter) field(b []byte, first, end, column int) ([]byte, error) {
	f := w.entries[first].field
	switch {
	case f.entry != nil:
		return w.pairs(b, first, end, spot{column + 2, true})
	case !f.repeated:
		return w.value(b, w.entries[first], spot{column + 2, true})
	}
	return w.sequence(b, first, end, spot{column + 2, true})
}

// sequence appends entries as items. Below a key, they begin in its column.
func (w *messageWriter) sequence(b []byte, first, end int, at spot) ([]byte, error) {
	if at.below {
		at.column -= 2
	}
	b = at.mapping(b)
	var err error
	for i := first; i < end && err == nil; i++ {
		if i > first {
			b = appendSpaces(b, at.column)
		}
		b, err = w.value(append(b, '-', ' '), w.entries[i], spot{at.column + 2, false})
	}
	return b, err
}

func (w *messageWriter) value(b []byte, e entry, at spot) ([]byte, error) {
	if e.field.message != nil {
		return w.message(b, e.field.message(), e.text, at)
	}
	return append(e.appendScalar(at.scalar(b)), '\n'), nil
}

// pairs appends the pairs of a map, sorted by their keys. Of pairs with one key, the last counts.
func (w *messageWriter) pairs(b []byte, first, end int, at spot) ([]byte, error) {
	type pair struct {
		key   string
		value entry
	}
	var pairs []pair
	for i := first; i < end; i++ {
		key, value, err := w.pair(w.entries[i])
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair{key, value})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	b = at.mapping(b)
	var err error
	for i, started := 0, false; i < len(pairs) && err == nil; i++ {
		if i+1 < len(pairs) && pairs[i+1].key == pairs[i].key {
			continue
		}
		if started {
			b = appendSpaces(b, at.column)
		}
		started = true
		b, err = w.value(appendKey(b, pairs[i].key, at.column), pairs[i].value, spot{at.column + 2, true})
	}
	return b, err
}

// pair is what a pair of a map says.
func (w *messageWriter) pair(e entry) (key string, value entry, err error) {
	first := len(w.entries)
	defer func() { w.entries = w.entries[:first] }()
	if err := w.scan(e.field.entry, e.text); err != nil {
		return "", entry{}, err
	}
	name := entry{field: e.field.entry.fields[keyNumber]}
	value = entry{field: e.field.entry.fields[valueNumber]}
	for _, said := range w.entries[first:] {
		if said.field == name.field {
			name = said
		} else {
			value = said
		}
	}
	return name.name(), value, nil
}

// foreignMessage appends a message by the detour.
func foreignMessage(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(m.name)
	if err != nil {
		return nil, err
	}
	message := kind.New().Interface()
	if err := proto.Unmarshal(wire, message); err != nil {
		return nil, err
	}
	decoded, err := decode(message)
	if err != nil {
		return nil, err
	}
	if at.below {
		return appendMapped(b, decoded, at.column-2), nil
	}
	return appendItem(b, decoded, at.column), nil
}
