package disk

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// This file writes the messages of google.protobuf that have a JSON form of their own.

// packed appends a google.protobuf.Any.
func (w *messageWriter) packed(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	entries, err := w.peek(m, wire)
	if err != nil {
		return nil, err
	}
	var url, value []byte
	for _, e := range entries {
		if e.field == m.fields[1] {
			url = e.text
		} else {
			value = e.text
		}
	}
	if len(url) == 0 {
		return foreignMessage(b, m, wire, at)
	}
	held, err := w.shapes.ofURL(url)
	switch {
	case err != nil:
		return nil, err
	case held.kind == mappingShape:
		return w.mapping(b, held, url, value, at)
	case held.kind == foreignShape:
		return foreignMessage(b, m, wire, at)
	}
	b = append(appendString(append(at.mapping(b), `"@type": `...), url), '\n')
	return w.message(append(appendSpaces(b, at.column), "value:"...), held, value, spot{at.column + 2, true})
}

// peek is what a message of scalars says, until the next message is read.
func (w *messageWriter) peek(m *shape, wire []byte) ([]entry, error) {
	first := len(w.entries)
	err := w.scan(m, wire)
	entries := w.entries[first:]
	w.entries = w.entries[:first]
	return entries, err
}

// wrapper appends a google.protobuf.BoolValue or the like.
func (w *messageWriter) wrapper(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	entries, err := w.peek(m, wire)
	value := entry{field: m.fields[1]}
	if len(entries) > 0 {
		value = entries[0]
	}
	return append(value.appendScalar(at.scalar(b)), '\n'), err
}

// duration appends a google.protobuf.Duration.
func (w *messageWriter) duration(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	entries, err := w.peek(m, wire)
	if err != nil {
		return nil, err
	}
	var seconds, nanos int64
	for _, e := range entries {
		if e.field == m.fields[1] {
			seconds = int64(e.number)
		} else {
			nanos = int64(e.number)
		}
	}
	const most, mostNanos = 315576000000, 999999999
	if seconds < -most || seconds > most || nanos < -mostNanos || nanos > mostNanos || seconds > 0 && nanos < 0 || seconds < 0 && nanos > 0 {
		return nil, fmt.Errorf("google.protobuf.Duration of %d s and %d ns is out of range", seconds, nanos)
	}
	return append(appendString(at.scalar(b), secondsText(seconds, nanos)), '\n'), nil
}

// secondsText writes a duration with no, 3, 6 or 9 digits of a fraction.
func secondsText(seconds, nanos int64) string {
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	switch {
	case nanos == 0:
		return fmt.Sprintf("%s%ds", sign, seconds)
	case nanos%1e6 == 0:
		return fmt.Sprintf("%s%d.%03ds", sign, seconds, nanos/1e6)
	case nanos%1e3 == 0:
		return fmt.Sprintf("%s%d.%06ds", sign, seconds, nanos/1e3)
	}
	return fmt.Sprintf("%s%d.%09ds", sign, seconds, nanos)
}

// structure appends a google.protobuf.Struct. What stands in one, such as the format of an access log, stands in thousands
// of places alike, so that texts are kept.
func (w *messageWriter) structure(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	if text, ok := w.shapes.structure(wire, at); ok {
		return append(b, text...), nil
	}
	first, start := len(w.entries), len(b)
	defer func() { w.entries = w.entries[:first] }()
	if err := w.scan(m, wire); err != nil {
		return nil, err
	}
	if first == len(w.entries) {
		return append(at.scalar(b), "{}\n"...), nil
	}
	b, err := w.pairs(b, first, len(w.entries), at)
	if err == nil {
		w.shapes.keepStructure(wire, at, b[start:])
	}
	return b, err
}

// structureKey is what the text of a google.protobuf.Struct depends on.
type structureKey struct {
	wire string
	at   spot
}

// manyStructures is how many texts are kept at most.
const manyStructures = 256

func (s *shapes) structure(wire []byte, at spot) ([]byte, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	text, ok := s.structures[structureKey{string(wire), at}]
	return text, ok
}

func (s *shapes) keepStructure(wire []byte, at spot, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.structures) < manyStructures {
		s.structures[structureKey{string(wire), at}] = bytes.Clone(text)
	}
}

// list appends a google.protobuf.ListValue.
func (w *messageWriter) list(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	first := len(w.entries)
	defer func() { w.entries = w.entries[:first] }()
	if err := w.scan(m, wire); err != nil {
		return nil, err
	}
	if first == len(w.entries) {
		return append(at.scalar(b), "[]\n"...), nil
	}
	return w.sequence(b, first, len(w.entries), at)
}

// variant appends a google.protobuf.Value.
func (w *messageWriter) variant(b []byte, m *shape, wire []byte, at spot) ([]byte, error) {
	entries, err := w.peek(m, wire)
	switch {
	case err != nil:
		return nil, err
	case len(entries) == 0:
		return nil, errors.New("google.protobuf.Value has no value")
	}
	if e := entries[0]; e.field.kind == protoreflect.DoubleKind {
		if number := math.Float64frombits(e.number); math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, fmt.Errorf("google.protobuf.Value cannot be %v", number)
		}
	}
	return w.value(b, entries[0], at)
}
