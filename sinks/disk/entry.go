package disk

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// scan adds the entries of a message, in order of the names of its fields. What it takes and what it passes over is what
// proto.Unmarshal does.
func (w *messageWriter) scan(m *shape, wire []byte) error {
	first := len(w.entries)
	for len(wire) > 0 {
		number, kind, n := protowire.ConsumeTag(wire)
		if n < 0 || number > protowire.MaxValidNumber {
			return m.malformed()
		}
		size := protowire.ConsumeFieldValue(number, kind, wire[n:])
		if size < 0 {
			return m.malformed()
		}
		if f := m.fields[int32(number)]; f != nil && !w.take(first, f, kind, wire[n:n+size]) {
			return m.malformed()
		}
		wire = wire[n+size:]
	}
	w.settle(first)
	return nil
}

func (m *shape) malformed() error { return fmt.Errorf("the bytes are not a %s", m.name) }

// take adds the entries of one field on the wire. A field of another type than it should have is one that is not known.
// It is false for bytes that make no sense.
func (w *messageWriter) take(first int, f *field, kind protowire.Type, raw []byte) bool {
	switch wanted := wireType(f.kind); {
	case kind == protowire.BytesType && wanted == kind:
		text, _ := protowire.ConsumeBytes(raw)
		if f.kind == protoreflect.StringKind && !utf8.Valid(text) {
			return false
		}
		w.add(first, entry{field: f, text: text})
	case kind == wanted:
		number, _ := consumeNumber(f.kind, raw)
		w.add(first, entry{field: f, number: number})
	case kind == protowire.BytesType && f.repeated:
		packed, _ := protowire.ConsumeBytes(raw)
		for len(packed) > 0 {
			number, n := consumeNumber(f.kind, packed)
			if n < 0 {
				return false
			}
			w.add(first, entry{field: f, number: number})
			packed = packed[n:]
		}
	}
	return true
}

// add adds an entry to those from first on. It is the only one of its group.
func (w *messageWriter) add(first int, e entry) {
	if e.field.oneof > 0 {
		kept := slices.DeleteFunc(w.entries[first:], func(other entry) bool { return other.field.oneof == e.field.oneof && other.field != e.field })
		w.entries = w.entries[:first+len(kept)]
	}
	w.entries = append(w.entries, e)
}

// settle sorts the entries, and leaves one of each field that is not repeated: of scalars the last counts, messages are
// merged. A zero value that is the same as none is left out.
func (w *messageWriter) settle(first int) {
	entries := w.entries[first:]
	byOrder := func(a, b entry) int { return cmp.Compare(a.field.order, b.field.order) }
	if !slices.IsSortedFunc(entries, byOrder) {
		slices.SortStableFunc(entries, byOrder)
	}
	kept := first
	for i, e := range entries {
		next := i + 1
		switch {
		case !e.field.repeated && next < len(entries) && entries[next].field == e.field:
			if e.field.message != nil {
				entries[next].text = slices.Concat(e.text, entries[next].text)
			}
		case e.field.implicit && e.number == 0 && len(e.text) == 0:
		default:
			w.entries[kept] = e
			kept++
		}
	}
	w.entries = w.entries[:kept]
}

// wireType is how values of a kind are on the wire.
func wireType(kind protoreflect.Kind) protowire.Type {
	switch kind {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	}
	return protowire.VarintType
}

// consumeNumber reads the bits of a number; signed ones are those of an int64. The length is negative if there is none.
func consumeNumber(kind protoreflect.Kind, raw []byte) (uint64, int) {
	switch wireType(kind) {
	case protowire.Fixed32Type:
		bits, n := protowire.ConsumeFixed32(raw)
		if kind == protoreflect.Sfixed32Kind {
			return uint64(int64(int32(bits))), n
		}
		return uint64(bits), n
	case protowire.Fixed64Type:
		return protowire.ConsumeFixed64(raw)
	}
	bits, n := protowire.ConsumeVarint(raw)
	switch kind {
	case protoreflect.BoolKind:
		bits = protowire.EncodeBool(protowire.DecodeBool(bits))
	case protoreflect.Int32Kind, protoreflect.EnumKind:
		bits = uint64(int64(int32(bits)))
	case protoreflect.Uint32Kind:
		bits = uint64(uint32(bits))
	case protoreflect.Sint32Kind:
		bits = uint64(int64(int32(protowire.DecodeZigZag(bits & math.MaxUint32))))
	case protoreflect.Sint64Kind:
		bits = uint64(protowire.DecodeZigZag(bits))
	}
	return bits, n
}

// appendScalar appends a value that is no message, as the JSON form of messages has it.
func (e entry) appendScalar(b []byte) []byte {
	switch e.field.kind {
	case protoreflect.StringKind:
		return appendString(b, e.text)
	case protoreflect.BytesKind:
		return appendString(b, base64.StdEncoding.EncodeToString(e.text))
	case protoreflect.BoolKind:
		return strconv.AppendBool(b, e.number != 0)
	case protoreflect.EnumKind:
		return e.appendEnum(b)
	case protoreflect.FloatKind:
		return appendFloat(b, float64(math.Float32frombits(uint32(e.number))), 32)
	case protoreflect.DoubleKind:
		return appendFloat(b, math.Float64frombits(e.number), 64)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return strconv.AppendUint(b, e.number, 10)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return strconv.AppendInt(b, int64(e.number), 10)
	}
	return append(appendLong(append(b, '"'), e), '"')
}

// appendLong appends an integer of 64 bits.
func appendLong(b []byte, e entry) []byte {
	if e.field.kind == protoreflect.Uint64Kind || e.field.kind == protoreflect.Fixed64Kind {
		return strconv.AppendUint(b, e.number, 10)
	}
	return strconv.AppendInt(b, int64(e.number), 10)
}

func (e entry) appendEnum(b []byte) []byte {
	if e.field.null {
		return append(b, "null"...)
	}
	if name, ok := e.field.names[int32(e.number)]; ok {
		return appendString(b, name)
	}
	return strconv.AppendInt(b, int64(int32(e.number)), 10)
}

// appendFloat appends a number as JSON has it, or its name if JSON has none.
func appendFloat(b []byte, value float64, bits int) []byte {
	switch {
	case math.IsNaN(value):
		return append(b, `"NaN"`...)
	case math.IsInf(value, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(value, -1):
		return append(b, `"-Infinity"`...)
	}
	format, size := byte('f'), math.Abs(value)
	if size != 0 && (bits == 64 && (size < 1e-6 || size >= 1e21) || bits == 32 && (float32(size) < 1e-6 || float32(size) >= 1e21)) {
		format = 'e'
	}
	text := strconv.FormatFloat(value, format, -1, bits)
	if n := len(text); format == 'e' && n >= 4 && text[n-4:n-1] == "e-0" {
		text = text[:n-2] + text[n-1:]
	}
	return appendNumber(b, text)
}

// name is the value as the key of a map.
func (e entry) name() string {
	switch e.field.kind {
	case protoreflect.StringKind:
		return string(e.text)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return string(appendLong(nil, e))
	}
	return string(e.appendScalar(nil))
}
