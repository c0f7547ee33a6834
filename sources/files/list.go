package files

import (
	"bytes"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// list is what a list says of itself, for a document that is one of its items.
type list struct{ apiVersion, kind string }

// items cuts a long list, such as kubectl prints for a whole cluster, into documents of one item each. Parsed in one piece
// it would take a hundred times its length of memory. The items of a list in block style start at the margin:
//
//	apiVersion: v1
//	items:
//	- apiVersion: v1
//	  kind: Pod
//	kind: List
//
// A document that is not a list in this form stays as it is; so does one with aliases, which may lead to another item.
func (d *document) items() []*document {
	if d.json || d.end-d.start <= bigText || aliased(d.text.data[d.start:d.end]) {
		return []*document{d}
	}
	items, rest := d.cutItems()
	of, ok := listOf(rest)
	if !ok || len(items) == 0 {
		return []*document{d}
	}
	for _, item := range items {
		item.list = of
	}
	return items
}

// aliased is true for a text in which something may be an alias: a star before a word.
func aliased(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '*')
		if i < 0 || i+1 == len(text) {
			return false
		}
		before, after := text[max(i-1, 0)], text[i+1]
		if bytes.IndexByte([]byte(" \t\n[{,"), before) >= 0 && bytes.IndexByte([]byte(" \t\r\n*/'\"]},"), after) < 0 {
			return true
		}
		text = text[i+1:]
	}
}

// cutItems cuts the items out, and gives what is left of the document.
func (d *document) cutItems() (items []*document, rest []byte) {
	inside := false
	lines := d.text.lines()
	for line := d.line; line < len(lines) && lines[line] < d.end; line++ {
		content, end := d.text.lineAt(line)
		switch {
		case !inside:
			inside = strings.TrimRight(string(content), " \r\n") == "items:" && items == nil
			if !inside {
				rest = append(rest, content...)
			}
		case content[0] == '-' && !marked(content, "---"):
			items = append(items, &document{text: d.text, start: lines[line], end: end, line: line, item: len(items)})
		case len(items) == 0 && blank(content):
		case len(items) > 0 && (content[0] == ' ' || blank(content)):
			items[len(items)-1].end = end
		default:
			inside = false
			rest = append(rest, content...)
		}
	}
	return items, rest
}

// listOf is what a list without its items says, if it is one.
func listOf(rest []byte) (*list, bool) {
	var of struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Items      yaml.Node
	}
	if bytes.Contains(rest, []byte("<<")) || yaml.Unmarshal(rest, &of) != nil {
		return nil, false
	}
	return &list{of.APIVersion, of.Kind}, strings.HasSuffix(of.Kind, "List") && of.Items.IsZero()
}
