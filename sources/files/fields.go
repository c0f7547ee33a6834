package files

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/sources"
)

// fieldsOf are the fields that a struct has in JSON, with their types.
func (d *decoder) fieldsOf(goType reflect.Type) map[string]reflect.Type {
	if known, ok := d.fields.Load(goType); ok {
		return known.(map[string]reflect.Type)
	}
	fields := map[string]reflect.Type{}
	addFields(fields, goType)
	d.fields.Store(goType, fields)
	return fields
}

func addFields(fields map[string]reflect.Type, goType reflect.Type) {
	for f := range goType.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			addFields(fields, pointedAt(f.Type))
		case f.IsExported() && name == "":
			fields[f.Name] = f.Type
		case f.IsExported():
			fields[name] = f.Type
		}
	}
}

// suggestion is how to mend a field that its type does not have: the field that is spelled nearly like it, else the place
// where the object does have it.
func (d *decoder) suggestion(kind sources.Kind, goType reflect.Type, name string) string {
	type key struct {
		kind   string
		goType reflect.Type
		name   string
	}
	k := key{kind.Kind, goType, name}
	if known, ok := d.suggestions.Load(k); ok {
		return known.(string)
	}
	s := ""
	if near := nearest(name, d.fieldsOf(goType)); near != "" {
		s = fmt.Sprintf("did you mean %s?", near)
	} else if paths := d.pathsOf(kind, name); len(paths) > 0 {
		s = fmt.Sprintf("%s stands at %s", name, paths[0])
	}
	d.suggestions.Store(k, s)
	return s
}

// pathsOf are the places where objects of a kind have a field of that name, the highest one first. They are looked for level by level; a type is entered once, for types can hold themselves.
func (d *decoder) pathsOf(kind sources.Kind, name string) []string {
	root := goType(kind)
	type place struct {
		goType reflect.Type
		path   string
	}
	var found []string
	seen := map[reflect.Type]bool{root: true}
	for level := []place{{root, ""}}; len(level) > 0; {
		var next []place
		for _, p := range level {
			fields := d.fieldsOf(p.goType)
			for _, f := range sortedKeys(fields) {
				path := memberPath(p.path, f)
				if f == name && path != "apiVersion" && path != "kind" {
					found = append(found, path)
				}
				inner, suffix := held(fields[f])
				if path != "metadata" && inner.Kind() == reflect.Struct && !decodesItself(inner) && !seen[inner] {
					seen[inner] = true
					next = append(next, place{inner, path + suffix})
				}
			}
		}
		level = next
	}
	return found
}

// held is the type of the values that a field holds, behind pointers and lists, with the brackets that lead there.
func held(goType reflect.Type) (reflect.Type, string) {
	goType = pointedAt(goType)
	if goType.Kind() == reflect.Slice && !decodesItself(goType) {
		inner, suffix := held(goType.Elem())
		return inner, "[]" + suffix
	}
	return goType, ""
}

func pointedAt(goType reflect.Type) reflect.Type {
	for goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	return goType
}

// decodesItself is true for a type that reads its own JSON.
func (d *decoder) decodesItself(goType reflect.Type) bool {
	if known, ok := d.itself.Load(goType); ok {
		return known.(bool)
	}
	does := decodesItself(goType)
	d.itself.Store(goType, does)
	return does
}

func decodesItself(goType reflect.Type) bool {
	pointer := reflect.PointerTo(goType)
	return pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// nearest is the field that a name was probably meant to be; empty if none is near.
func nearest(name string, fields map[string]reflect.Type) string {
	best, least := "", 1+len(name)/3
	for _, f := range sortedKeys(fields) {
		if len(name) > len(f)+least {
			continue
		}
		if n := distance(strings.ToLower(name), strings.ToLower(f)); n < least || n == least && best == "" {
			best, least = f, n
		}
	}
	return best
}

// distance is how many letters to add, drop, change or swap with the next one to get from a to b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
