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
	path     steps
	findings []finding
}

// examine is everything that is wrong with an object.
func (d *decoder) examine(e examination, object metav1.Object, t tree) []finding {
	e.decoder = d
	e.value(reflect.TypeOf(object).Elem(), t, t.start)
	if e.err != nil && !anyBad(e.findings) {
		e.find(model.WrongType, e.start, strings.TrimPrefix(e.err.Error(), "json: "), "")
	}
	return e.findings
}

// value examines what is written for a Go type; key is where its key stands.
func (e *examination) value(goType reflect.Type, t tree, key int) {
	goType = pointedAt(goType)
	switch {
	case t.kind == 'n':
	case e.decoder.decodesItself(goType):
		e.leaf(goType, t, key)
	case goType.Kind() == reflect.Struct && t.kind == '{':
		e.structure(goType, t)
	case goType.Kind() == reflect.Map && t.kind == '{':
		e.dictionary(goType, t)
	case goType.Kind() == reflect.Slice && goType.Elem().Kind() != reflect.Uint8 && t.kind == '[':
		for i, element := range t.elements {
			e.at(step{index: i}, func() { e.value(goType.Elem(), element, element.start) })
		}
	case goType.Kind() != reflect.Interface:
		e.leaf(goType, t, key)
	}
}

// at does something one step further down.
func (e *examination) at(s step, do func()) {
	e.path = append(e.path, s)
	do()
	e.path = e.path[:len(e.path)-1]
}

func (e *examination) structure(goType reflect.Type, t tree) {
	fields := e.decoder.fieldsOf(goType)
	e.members(t, func(m member) {
		if f, ok := fields[m.key]; ok {
			e.value(f, m.value, m.at)
		} else {
			e.unknown(goType, m)
		}
	})
}

func (e *examination) dictionary(goType reflect.Type, t tree) {
	e.members(t, func(m member) { e.value(goType.Elem(), m.value, m.at) })
}

// members does something with each member, and reports keys that are written twice. In YAML those were found before.
func (e *examination) members(t tree, do func(member)) {
	first := make(map[string]int, len(t.members))
	for _, m := range t.members {
		e.at(keyStep(m.key), func() {
			at, twice := first[m.key]
			if !twice {
				first[m.key] = m.at
				do(m)
			} else if e.body.document.json {
				e.find(model.DuplicateKey, m.at,
					fmt.Sprintf("%q is written twice in one mapping, first on line %d", m.key, e.body.position(at).Line), "")
			}
		})
	}
}

// leaf decodes one value by itself to see whether it can be.
func (e *examination) leaf(goType reflect.Type, t tree, key int) {
	if e.err == nil {
		return
	}
	text := replaced(e.edits, e.body.json, t)
	if kjson.UnmarshalCaseSensitivePreserveInts(text, reflect.New(goType).Interface()) == nil {
		return
	}
	message := fmt.Sprintf("%s must be %s, not %s", e.field(), wanted(goType, t, e.body.json), e.described(t))
	e.find(model.WrongType, shown(e.body, key, t), message, quoting(goType, t, e.body.json))
}

// unknown reports a field that the type does not have.
func (e *examination) unknown(goType reflect.Type, m member) {
	about := e.path[0].key == "metadata" || e.path[0].key == "status"
	if policy(e.kind) && !about && !m.value.empty() {
		e.findings = append(e.findings, e.decoder.unknownInPolicy(e, goType, m))
		return
	}
	message := fmt.Sprintf("%s has no field %s", e.owner(), m.key)
	e.find(model.UnknownField, m.at, message, e.decoder.suggestion(e.kind, goType, m.key))
	e.findings[len(e.findings)-1].instead = "the field is passed over"
}

// field is what a message calls the value at hand.
func (e *examination) field() string {
	if len(e.path) > 0 && e.path[len(e.path)-1].index < 0 {
		return e.path[len(e.path)-1].key
	}
	return e.path.String()
}

// owner names what a field is looked for in.
func (e *examination) owner() string {
	if len(e.path) == 1 {
		return e.kind.Kind + " of " + e.kind.APIVersion()
	}
	return e.path[:len(e.path)-1].String()
}

func (e *examination) find(code model.Code, offset int, message, fix string) {
	e.findings = append(e.findings, finding{
		code: code, path: e.path.String(), offset: offset, position: e.body.position(offset),
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
