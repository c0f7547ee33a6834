package files

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// decoder turns manifests into objects. It remembers what it learns about Go types.
type decoder struct {
	// fields has the fields of a struct type, itself whether a type decodes itself, suggestions what was suggested before.
	fields, itself, suggestions sync.Map
	// known are the objects that were decoded before, by the text that they were decoded from; nil when nobody will ask.
	known map[fingerprint]outcome
}

// outcome is what became of a manifest.
type outcome struct {
	place
	apiVersion, kind string
	verdict          verdict
	// registered is the kind of an object that was read or is broken.
	registered sources.Kind
	ref        model.Ref
	// object is what Objects hold; nil unless it is usable.
	object metav1.Object
	// diagnostics have their positions; those of the conversion have none yet, and only count if the object does.
	diagnostics, conversion []model.Diagnostic
	// fingerprint is that of the text of an object.
	fingerprint fingerprint
	// stale says that the object is of an earlier text, for that which stands there now cannot be read.
	stale bool
}

type verdict int

const (
	// lost is a manifest of which it cannot be told what it is.
	lost verdict = iota
	// unused is an object of a kind that the mesh does not read.
	unused
	// broken is an object that exists but could not be decoded.
	broken
	// usable is an object that was decoded.
	usable
)

// decode reads a manifest strictly. The quick way looks at no field twice; only when something is wrong, or in a policy,
// whose fields move between versions, is the object looked at closely.
func (d *decoder) decode(m manifest) outcome {
	if m.unusable || m.body.broken {
		return m.remains()
	}
	if f, missing := m.withoutKind(); missing {
		return m.outcome(lost, model.Ref{}, append(m.findings, f))
	}
	kind, ok := sources.KindOf(m.apiVersion, m.kind)
	if !ok {
		return m.foreign()
	}
	print := d.fingerprint(m)
	before, known := d.known[print]
	if known && len(m.findings) == 0 && before.clean() {
		before.place = m.place()
		return before
	}
	object := kind.New()
	findings := m.findings
	switch {
	case hasCode(findings, model.ManyAliases):
		// What is missing because of it is no mistake of its own.
	case policy(kind):
		findings = append(findings, d.decodePolicy(m, kind, object)...)
	default:
		findings = append(findings, d.decodeInto(m, kind, object, nil)...)
	}
	if anyBad(findings) {
		return m.named(kind, nil, findings)
	}
	o := m.named(kind, object, findings)
	o.fingerprint = print
	if known && o.verdict == usable {
		o.object = before.object
	}
	return o
}

// remains is what can be told of an object in a document that could not be read.
func (m manifest) remains() outcome {
	kind, ok := sources.KindOf(m.apiVersion, m.kind)
	ref := m.written(kind)
	if !ok || len(m.checkNames(ref)) > 0 {
		return m.outcome(lost, model.Ref{}, m.findings)
	}
	o := m.outcome(broken, ref, m.findings)
	o.registered = kind
	return o
}

// decodeInto decodes a manifest, with its edits, and examines it if anything is wrong.
func (d *decoder) decodeInto(m manifest, kind sources.Kind, object metav1.Object, edits []edit) []finding {
	strict, err := kjson.UnmarshalStrict(spliced(m.body.json, m.start, m.end, edits), object)
	if err == nil && len(strict) == 0 {
		return nil
	}
	t, ok := treeAt(m.body.json, m.start)
	if torn, _ := kjson.SyntaxErrorOffset(err); torn || !ok {
		return []finding{m.body.syntaxError(m.start, m.end)}
	}
	return d.examine(examination{manifest: m, kind: kind, err: err, edits: edits}, object, t)
}

func (m manifest) withoutKind() (finding, bool) {
	var missing []string
	if m.apiVersion == "" {
		missing = append(missing, "apiVersion")
	}
	if m.kind == "" {
		missing = append(missing, "kind")
	}
	return finding{
		code: model.NoKindOrName, position: m.body.position(m.start), instead: leftOut,
		message: "the document has no " + strings.Join(missing, " and no "),
	}, missing != nil
}

func (m manifest) outcome(v verdict, ref model.Ref, findings []finding) outcome {
	o := outcome{place: m.place(), apiVersion: m.apiVersion, kind: m.kind, verdict: v, ref: ref}
	for _, f := range findings {
		o.diagnostics = append(o.diagnostics, f.diagnostic(ref))
	}
	return o
}

func anyBad(findings []finding) bool { return slices.ContainsFunc(findings, finding.bad) }

// goType is the Go type of a kind.
func goType(kind sources.Kind) reflect.Type { return reflect.TypeOf(kind.New()).Elem() }

func hasCode(findings []finding, code model.Code) bool {
	return slices.ContainsFunc(findings, func(f finding) bool { return f.code == code })
}
