package files

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// An examination finds out what is wrong with an object that could not be decoded, or has fields that are not known. It
// walks the Go type and the text side by side, so that every mistake is found, at the field where it is, also those in types
// with a decoder of their own.
type examination struct {
	manifest
	kind sources.Kind
	// err is what the decoder said; nil if it only found fields that it does not know.
	err error
	// edits are what is decoded in place of some values.
	edits []edit

	decoder  *decoder
	findings []finding
}

// examine is everything that is wrong with an object.
func (d *decoder) examine(e examination, object metav1.Object, t tree) []finding {
	e.decoder = d
	e.value(reflect.TypeOf(object).Elem(), t, t.start, "")
	if e.err != nil && !anyBad(e.findings) {
		e.find(model.WrongType, "", e.start, strings.TrimPrefix(e.err.Error(), "json: "), "")
	}
	return e.findings
}

// value examines what is written for a Go type; key is where its key stands.
func (e *examination) value(goType reflect.Type, t tree, key int, path string) {
	goType = pointedAt(goType)
	switch {
	case t.kind == 'n':
	case decodesItself(goType):
		e.leaf(goType, t, key, path)
	case goType.Kind() == reflect.Struct && t.kind == '{':
		e.structure(goType, t, path)
	case goType.Kind() == reflect.Map && t.kind == '{':
		e.dictionary(goType, t, path)
	case goType.Kind() == reflect.Slice && goType.Elem().Kind() != reflect.Uint8 && t.kind == '[':
		for i, element := range t.elements {
			e.value(goType.Elem(), element, element.start, elementPath(path, i))
		}
	case goType.Kind() != reflect.Interface:
		e.leaf(goType, t, key, path)
	}
}

func (e *examination) structure(goType reflect.Type, t tree, path string) {
	fields := e.decoder.fieldsOf(goType)
	for i, m := range t.members {
		if e.twice(t.members[:i], m, path) {
			continue
		}
		if f, ok := fields[m.key]; ok {
			e.value(f, m.value, m.at, memberPath(path, m.key))
		} else {
			e.unknown(goType, m, path)
		}
	}
}

func (e *examination) dictionary(goType reflect.Type, t tree, path string) {
	for i, m := range t.members {
		if !e.twice(t.members[:i], m, path) {
			e.value(goType.Elem(), m.value, m.at, memberPath(path, m.key))
		}
	}
}

// twice finds a key that is written again. In YAML that was found before.
func (e *examination) twice(earlier []member, m member, path string) bool {
	if !e.body.document.json {
		return false
	}
	for _, first := range earlier {
		if first.key == m.key {
			e.find(model.DuplicateKey, memberPath(path, m.key), m.at,
				fmt.Sprintf("%q is written twice in one mapping, first on line %d", m.key, e.body.position(first.at).Line), "")
			return true
		}
	}
	return false
}

// leaf decodes one value by itself to see whether it can be.
func (e *examination) leaf(goType reflect.Type, t tree, key int, path string) {
	if e.err == nil {
		return
	}
	text := replaced(e.edits, e.body.json, t)
	if kjson.UnmarshalCaseSensitivePreserveInts(text, reflect.New(goType).Interface()) == nil {
		return
	}
	message := fmt.Sprintf("%s must be %s, not %s", lastStep(path), wanted(goType, t, e.body.json), e.described(t))
	e.find(model.WrongType, path, shown(e.body, key, t), message, quoting(goType, t, e.body.json))
}

// unknown reports a field that the type does not have.
func (e *examination) unknown(goType reflect.Type, m member, path string) {
	at := memberPath(path, m.key)
	if policy(e.kind) && !strings.HasPrefix(at, "metadata.") && !m.value.empty() {
		e.findings = append(e.findings, e.decoder.unknownInPolicy(e, goType, m, at))
		return
	}
	e.find(model.UnknownField, at, m.at, fmt.Sprintf("%s has no field %s", e.owner(path), m.key), e.decoder.suggestion(e.kind, goType, m.key))
	e.findings[len(e.findings)-1].instead = "the field is passed over"
}

// owner names what a field is looked for in.
func (e *examination) owner(path string) string {
	if path == "" {
		return e.kind.Kind + " of " + e.kind.APIVersion()
	}
	return path
}

func (e *examination) find(code model.Code, path string, offset int, message, fix string) {
	e.findings = append(e.findings, finding{
		code: code, path: path, offset: offset, position: e.body.position(offset),
		message: message, instead: objectLeftOut, fix: fix,
	})
}

// described says what a value is, with the value itself if it is short.
func (e *examination) described(t tree) string {
	const long = 40
	text := t.text(e.body.json)
	switch name := kindName(t.kind); {
	case len(text) > long || t.kind == '{' || t.kind == '[':
		return name
	case t.kind == 't' || t.kind == 'f':
		return text
	default:
		return strings.Replace(name, "a ", "the ", 1) + " " + text
	}
}

// wanted says what a Go type takes.
func wanted(goType reflect.Type, t tree, data []byte) string {
	switch goType.Name() {
	case "Quantity":
		return "a quantity such as 500m or 64Mi"
	case "Time", "MicroTime":
		return "a time such as 2006-01-02T15:04:05Z"
	case "Duration":
		return "a duration such as 30s"
	case "IntOrString":
		return "a whole number or a string"
	}
	switch goType.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	if kindName(t.kind) == "a number" && strings.Trim(t.text(data), "-0123456789") == "" {
		return fmt.Sprintf("a whole number of %d bits", goType.Bits())
	}
	return "a whole number"
}

// quoting is how to mend the most common mistake: quotes that are missing, or too many.
func quoting(goType reflect.Type, t tree, data []byte) string {
	number := goType.Kind() >= reflect.Int && goType.Kind() <= reflect.Float64
	_, err := strconv.ParseFloat(t.word(data), 64)
	switch {
	case goType.Kind() == reflect.String && t.kind != '{' && t.kind != '[':
		return "write it in quotes"
	case number && t.kind == '"' && err == nil:
		return "write it without quotes"
	}
	return ""
}

// lastStep is the field at the end of a path.
func lastStep(path string) string {
	if strings.HasSuffix(path, "]") {
		return path
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}
