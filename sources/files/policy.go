package files

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// The Go types of SMI pass over fields that they do not know, and cannot read headers as the specification writes them. In a
// policy a field that is passed over may be a restriction that is gone, so policies are read more strictly than the rest.

// policy is true for the kinds of SMI.
func policy(kind sources.Kind) bool { return strings.HasSuffix(kind.Group, ".smi-spec.io") }

// decodePolicy decodes an object of SMI, with its headers written as the Go types take them.
func (d *decoder) decodePolicy(m manifest, kind sources.Kind, object metav1.Object) []finding {
	t, _ := treeAt(m.body.json, m.start)
	var edits []edit
	var findings []finding
	switch kind.Kind {
	case "HTTPRouteGroup":
		edits, findings = m.headers(t)
	case "TrafficSplit":
		edits, findings = m.weights(kind, t)
	}
	return append(findings, d.decodeInto(m, kind, object, edits)...)
}

// unknownInPolicy reports a field that this version of a policy does not have. That is an error: what was meant to be a
// restriction must not become none.
func (d *decoder) unknownInPolicy(e *examination, goType reflect.Type, m member) finding {
	path := e.path.String()
	f := finding{
		code: model.UnknownField, level: model.Error, path: path, offset: m.at, position: e.body.position(m.at),
		message: fmt.Sprintf("%s of %s has no field %s", e.kind.Kind, e.kind.APIVersion(), path),
		instead: objectLeftOut,
	}
	here := d.pathsOf(e.kind, m.key)
	there, version := d.otherVersion(e.kind, path, m.key)
	near := nearest(m.key, d.fieldsOf(goType))
	switch {
	case here == nil && there == "" && near == "":
		f.fix = "remove it, or check apiVersion"
	case here == nil && there == "":
		f.fix = fmt.Sprintf("did you mean %s?", near)
	case here != nil:
		f.code, f.fix = model.MisplacedField, fmt.Sprintf("in this version %s stands at %s", m.key, strings.Join(here, " or "))
	default:
		f.code, f.fix = model.MisplacedField, fmt.Sprintf("%s has it at %s: change apiVersion, or say it as this version does", version, there)
	}
	return f
}

// otherVersion is where another version of a kind has a field: one that has it at the same place, else the first.
func (d *decoder) otherVersion(kind sources.Kind, at, name string) (path, version string) {
	at = indices.ReplaceAllString(at, "[]")
	for k := range sources.Kinds() {
		if k.Group != kind.Group || k.Kind != kind.Kind || k.Version == kind.Version {
			continue
		}
		paths := d.pathsOf(k, name)
		if slices.Contains(paths, at) {
			return at, k.Version
		}
		if len(paths) > 0 && path == "" {
			path, version = paths[0], k.Version
		}
	}
	return path, version
}

// headers checks the headers of a route group, and writes them as the Go types take them: SMI says a list of mappings
// in its text and one mapping in its examples.
//
//	headers: {user-agent: curl.*, host: shop}   →   [{"user-agent":"curl.*"},{"host":"shop"}]
func (m manifest) headers(t tree) ([]edit, []finding) {
	var edits []edit
	var findings []finding
	for _, place := range []struct {
		path    string
		matches tree
	}{{"matches", t.at("matches")}, {"spec.matches", t.at("spec", "matches")}} {
		for i, match := range place.matches.elements {
			written, ok := match.get("headers")
			if !ok || written.value.kind == 'n' {
				continue
			}
			text, more := m.headerList(written, memberPath(elementPath(place.path, i), "headers"))
			edits = append(edits, edit{written.value.start, written.value.end, text})
			findings = append(findings, more...)
		}
	}
	return edits, findings
}

// headerList is the headers of one match as a list of mappings with one key each.
func (m manifest) headerList(written member, path string) ([]byte, []finding) {
	var findings []finding
	headers, ok := headerMembers(written.value)
	if !ok {
		f := m.policyFinding(model.WrongType, path, shown(m.body, written.at, written.value), "headers must be a mapping of names to expressions, or a list of such")
		return []byte("[]"), []finding{f}
	}
	out := []byte{'['}
	seen := map[string]bool{}
	for _, h := range headers {
		if h.value.kind != '"' {
			findings = append(findings, m.policyFinding(model.WrongType, path, shown(m.body, h.at, h.value), fmt.Sprintf("the expression for header %s must be a string", h.key)))
			continue
		}
		if seen[strings.ToLower(h.key)] {
			findings = append(findings, m.policyFinding(model.RepeatedHeader, path, h.at, fmt.Sprintf("header %s is named twice in this match", h.key)))
		}
		seen[strings.ToLower(h.key)] = true
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(appendString(append(out, '{'), h.key), ':')
		out = append(append(out, m.body.json[h.value.start:h.value.end]...), '}')
	}
	return append(out, ']'), findings
}

// headerMembers are the headers in either form.
func headerMembers(t tree) ([]member, bool) {
	if t.kind == '{' {
		return t.members, true
	}
	var all []member
	for _, element := range t.elements {
		if element.kind != '{' {
			return nil, false
		}
		all = append(all, element.members...)
	}
	return all, t.kind == '['
}

// weights checks that weights are written, and as whole numbers; null stands in the place of those that are not, so that
// they are not found again by their type. The weights of v1alpha1 are quantities.
func (m manifest) weights(kind sources.Kind, t tree) ([]edit, []finding) {
	if kind.Version == "v1alpha1" {
		return nil, nil
	}
	var edits []edit
	var findings []finding
	for i, backend := range t.at("spec", "backends").elements {
		path := elementPath("spec.backends", i)
		weight, ok := backend.get("weight")
		text := weight.value.text(m.body.json)
		switch {
		case backend.kind != '{':
		case !ok || weight.value.kind == 'n':
			findings = append(findings, m.policyFinding(model.InvalidWeight, path, backend.start, "the backend has no weight"))
		case !wholeWeight(text):
			f := m.policyFinding(model.InvalidWeight, path+".weight", shown(m.body, weight.at, weight.value), fmt.Sprintf("weight %s is not a whole number", text))
			if wholeWeight(strings.Trim(text, `"`)) {
				f.fix = "write it without quotes"
			}
			findings = append(findings, f)
			edits = append(edits, edit{weight.value.start, weight.value.end, []byte("null")})
		}
	}
	return edits, findings
}

func wholeWeight(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

func (m manifest) policyFinding(code model.Code, path string, offset int, message string) finding {
	return finding{code: code, path: path, offset: offset, position: m.body.position(offset), message: message, instead: objectLeftOut}
}

// edit is what stands in the place of a part of a text.
type edit struct {
	start, end int
	text       []byte
}

// spliced is a part of a text with its edits.
func spliced(data []byte, start, end int, edits []edit) []byte {
	if len(edits) == 0 {
		return data[start:end]
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var out bytes.Buffer
	for _, e := range edits {
		out.Write(data[start:e.start])
		out.Write(e.text)
		start = e.end
	}
	out.Write(data[start:end])
	return out.Bytes()
}

// replaced is the text of a value, or what stands in its place.
func replaced(edits []edit, data []byte, t tree) []byte {
	for _, e := range edits {
		if e.start == t.start && e.end == t.end {
			return e.text
		}
	}
	return data[t.start:t.end]
}
