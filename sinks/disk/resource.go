package disk

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// resourceTexts renders each resource that several classes share once.
type resourceTexts struct {
	shapes *shapes
	shared map[*compiler.Resource]bool
	known  sync.Map
}

func newResourceTexts(output *compiler.Output) *resourceTexts {
	t := &resourceTexts{shapes: newShapes(), shared: map[*compiler.Resource]bool{}}
	for class := range output.Classes.Values() {
		for _, kind := range kindsOf(class) {
			for resource := range kind.resources.Values() {
				_, before := t.shared[resource]
				t.shared[resource] = before
			}
		}
	}
	return t
}

// join appends a file of resources, one document each.
func (t *resourceTexts) join(b []byte, resources model.List[*compiler.Resource]) ([]byte, error) {
	var err error
	for i, resource := range resources.All() {
		if b, err = t.text(appendSeparator(b, i), resource); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (t *resourceTexts) text(b []byte, resource *compiler.Resource) ([]byte, error) {
	if !t.shared[resource] {
		return t.render(b, resource)
	}
	if text, ok := t.known.Load(resource); ok {
		return append(b, text.([]byte)...), nil
	}
	start := len(b)
	b, err := t.render(b, resource)
	if err == nil {
		t.known.Store(resource, bytes.Clone(b[start:]))
	}
	return b, err
}

// render appends one document: what the resource was made of, its version, and the resource.
func (t *resourceTexts) render(b []byte, resource *compiler.Resource) ([]byte, error) {
	label := "# from: "
	for ref := range resource.From.Values() {
		b = append(b, label+printable(ref.String())+"\n"...)
		label = "#       "
	}
	b = append(b, "# version: "+resource.Version+"\n"...)
	b, err := t.shapes.appendWire(b, resource.Type, resource.Bytes)
	if err != nil {
		return nil, fmt.Errorf("resource %s: %w", resource.Name, err)
	}
	return b, nil
}

// appendSlots appends a file of slots, one document each.
func appendSlots(b []byte, slots model.List[compiler.Slot]) ([]byte, error) {
	var err error
	for i, slot := range slots.All() {
		if b, err = appendValue(appendSeparator(b, i), slot); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendSeparator(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, "---\n"...)
	}
	return b
}

// printable is the text without what could end a comment.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
