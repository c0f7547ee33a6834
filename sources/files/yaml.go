package files

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/flomesh-io/fsmc/model"
)

// yamlBody parses a YAML document and writes it as JSON. Of a document with a syntax error the part before the error is
// written, so that it can be told which object is lost.
func (d *document) yamlBody() *body {
	root, err := parse(d.text.data[d.start:d.end])
	if err != nil {
		return d.brokenBody(err)
	}
	return render(d, d.itself(root))
}

// itself is the value of a document: for an item of a list, the one element of the list that it is cut out of.
func (d *document) itself(root *yaml.Node) *yaml.Node {
	if d.list != nil && root.Kind == yaml.SequenceNode && len(root.Content) == 1 {
		return root.Content[0]
	}
	return root
}

// parse is the value of the one document in a text.
func parse(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, more yaml.Node
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	// Lines end in other ways than LF in YAML 1.1, and a marker behind such an end was not seen.
	if err := decoder.Decode(&more); err == nil {
		return nil, errors.New("a second document starts behind a line that does not end in LF")
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(root.Content) == 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: 1, Column: 1}, nil
	}
	return root.Content[0], nil
}

// brokenBody is the body of a document with a syntax error.
func (d *document) brokenBody(err error) *body {
	line, before := d.failure(err)
	b := &body{document: d, broken: true}
	if root, err := parse(before); err == nil {
		known := render(d, d.itself(root))
		b.json, b.marks = known.json, known.marks
	}
	b.findings = []finding{{
		code:     model.UnreadableDocument,
		position: d.text.lineStart(line),
		message:  "the text is not valid YAML: " + yamlMessage(err),
		instead:  leftOut,
		fix:      d.syntaxFix(line),
	}}
	return b
}

// failure is the line, counted from 1 in the file, where the parser notices what is wrong, and the text before it. The
// parser itself often names the beginning of the mapping around it, so the line is found by parsing beginnings of the
// document until the shortest one that is wrong in the same way.
func (d *document) failure(err error) (int, []byte) {
	data := d.text.data[d.start:d.end]
	ends := lineEnds(data)
	message := yamlMessage(err)
	if len(data) > bigText {
		line := min(reportedLine(err), len(ends))
		return d.line + line, data[:append([]int{0}, ends...)[line-1]]
	}
	i := sort.Search(len(ends)-1, func(i int) bool {
		_, err := parse(data[:ends[i]])
		return err != nil && yamlMessage(err) == message
	})
	if i == 0 {
		return d.line + 1, nil
	}
	return d.line + i + 1, data[:ends[i-1]]
}

// lineEnds are the offsets behind the lines of a text.
func lineEnds(data []byte) []int {
	var ends []int
	for at := lineEnd(data, 0); at > 0; at = lineEnd(data, at) {
		ends = append(ends, at)
	}
	return append(ends, len(data))
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// yamlMessage is what the parser says without where.
func yamlMessage(err error) string {
	if parts := yamlError.FindStringSubmatch(err.Error()); parts != nil {
		return parts[2]
	}
	return err.Error()
}

// reportedLine is where the parser says that something is wrong, counted from 1.
func reportedLine(err error) int {
	if parts := yamlError.FindStringSubmatch(err.Error()); parts != nil {
		line, _ := strconv.Atoi(parts[1])
		return max(line, 1)
	}
	return 1
}

// lineStart is where the first word of a line stands.
func (t *text) lineStart(line int) model.Position {
	content, _ := t.line(line)
	column := len(content) - len(strings.TrimLeft(content, " \t")) + 1
	return model.Position{File: t.name, Line: line, Column: column}
}

// syntaxFix knows the usual causes.
func (d *document) syntaxFix(line int) string {
	content, _ := d.text.line(line)
	indent := content[:len(content)-len(strings.TrimLeft(content, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "indent with spaces; YAML does not take tabs"
	case bytes.Contains(d.text.data[d.start:d.end], []byte("{{")):
		return "this looks like a template; render it first, for instance with `helm template`"
	}
	return ""
}
