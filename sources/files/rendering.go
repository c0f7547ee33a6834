package files

import (
	"fmt"

	yaml "go.yaml.in/yaml/v3"

	"github.com/flomesh-io/fsmc/model"
)

// rendering writes YAML nodes as JSON and marks where each key and value was written. It never stops: what JSON cannot say
// becomes null beside a finding, so that the rest of the object, its name above all, can still be told.
type rendering struct {
	document *document
	json     []byte
	marks    []mark
	findings []finding

	path steps
	// aliased counts the aliases that the node at hand is reached through; the outermost one stands at outer, depth steps
	// down. budget bounds what is written through any.
	aliased, depth, budget int
	outer                  *yaml.Node
}

// render writes the value of a YAML document as JSON.
func render(d *document, root *yaml.Node) *body {
	size := d.end - d.start
	r := &rendering{document: d, json: make([]byte, 0, size+size/4), budget: 1<<20 + 10*size}
	r.value(root)
	return &body{document: d, json: r.json, marks: r.marks, findings: r.findings}
}

// value marks a node and writes it.
func (r *rendering) value(n *yaml.Node) {
	r.mark(n)
	r.content(n)
}

func (r *rendering) content(n *yaml.Node) {
	if !r.affordable(n) {
		r.json = append(r.json, "null"...)
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		r.enter(n)
		r.content(n.Alias)
		r.aliased--
	case yaml.MappingNode:
		r.object(n)
	case yaml.SequenceNode:
		r.array(n)
	default:
		r.scalar(n)
	}
}

// affordable is false for a node that would go beyond what a document may expand to.
func (r *rendering) affordable(n *yaml.Node) bool {
	if !r.pay(1 + len(n.Value)) {
		return false
	}
	if len(r.path) <= maxDepth {
		return true
	}
	if r.aliased == 0 {
		r.find(n, model.UnreadableDocument, fmt.Sprintf("values are nested more than %d deep", maxDepth))
		return false
	}
	r.exhaust("an alias contains itself")
	return false
}

// pay takes what is about to be written off the budget, if it is reached through an alias; it is false when there is
// nothing left.
func (r *rendering) pay(cost int) bool {
	switch {
	case r.aliased == 0:
		return true
	case r.budget >= cost:
		r.budget -= cost
		return true
	case r.budget >= 0:
		r.exhaust("the aliases of the document expand to too much")
	}
	return false
}

// enter goes through an alias.
func (r *rendering) enter(alias *yaml.Node) {
	if r.aliased == 0 {
		r.outer, r.depth = alias, len(r.path)
	}
	r.aliased++
}

// exhaust notes that an alias cannot be written, at the outermost one, and ends all others.
func (r *rendering) exhaust(message string) {
	path := r.path
	r.path = path[:r.depth]
	r.find(r.outer, model.ManyAliases, message)
	r.path = path
	r.budget = -1
}

func (r *rendering) object(n *yaml.Node) {
	r.json = append(r.json, '{')
	for i, p := range r.pairs(n) {
		if i > 0 {
			r.json = append(r.json, ',')
		}
		r.mark(p.name)
		r.json = appendString(r.json, p.key)
		r.json = append(r.json, ':')
		r.path = append(r.path, keyStep(p.key))
		r.value(p.value)
		r.path = r.path[:len(r.path)-1]
	}
	r.json = append(r.json, '}')
}

func (r *rendering) array(n *yaml.Node) {
	r.json = append(r.json, '[')
	for i, element := range n.Content {
		if i > 0 {
			r.json = append(r.json, ',')
		}
		r.path = append(r.path, step{index: i})
		r.value(element)
		r.path = r.path[:len(r.path)-1]
	}
	r.json = append(r.json, ']')
}

func (r *rendering) scalar(n *yaml.Node) {
	value, err := resolve(n)
	if err == nil {
		r.json, err = appendScalar(r.json, value)
	}
	if err != nil {
		r.find(n, model.WrongType, err.Error())
		r.json = append(r.json, "null"...)
	}
}

func (r *rendering) mark(n *yaml.Node) {
	r.marks = append(r.marks, mark{int32(len(r.json)), int32(r.document.line + n.Line), int32(n.Column)})
}

// manyFindings is enough to show what is wrong with a document.
const manyFindings = 100

// find notes something about the node at hand.
func (r *rendering) find(n *yaml.Node, code model.Code, message string) {
	if len(r.findings) >= manyFindings {
		return
	}
	r.findings = append(r.findings, finding{
		code: code, path: r.path.String(), offset: len(r.json), position: r.place(n), message: message, instead: objectLeftOut,
	})
}

func (r *rendering) place(n *yaml.Node) model.Position {
	return r.document.text.place(r.document.line+n.Line, n.Column)
}
