package disk

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// resourceTexts renders each distinct resource once: many classes share one.
type resourceTexts struct {
	shapes *shapes
	known  sync.Map
}

// join is the text of a file of resources, one document each.
func (t *resourceTexts) join(resources model.List[*compiler.Resource]) ([]byte, error) {
	texts := make([][]byte, resources.Len())
	size := 0
	for i, resource := range resources.All() {
		text, err := t.text(resource)
		if err != nil {
			return nil, err
		}
		texts[i] = text
		size += len(separator) + len(text)
	}
	b := make([]byte, 0, size)
	for i, text := range texts {
		b = append(appendSeparator(b, i), text...)
	}
	return b, nil
}

func (t *resourceTexts) text(resource *compiler.Resource) ([]byte, error) {
	if text, ok := t.known.Load(resource); ok {
		return text.([]byte), nil
	}
	text, err := t.render(resource)
	if err == nil {
		t.known.Store(resource, text)
	}
	return text, err
}

// render makes one document: what the resource was made of, its version, and the resource.
func (t *resourceTexts) render(resource *compiler.Resource) ([]byte, error) {
	var b []byte
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

// slotsText is the text of a file of slots, one document each.
func slotsText(slots model.List[compiler.Slot]) ([]byte, error) {
	var b []byte
	for i, slot := range slots.All() {
		decoded, err := decode(slot)
		if err != nil {
			return nil, err
		}
		b = appendYAML(appendSeparator(b, i), decoded)
	}
	return b, nil
}

// separator stands between documents.
const separator = "---\n"

func appendSeparator(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, separator...)
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
