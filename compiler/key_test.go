package compiler

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// specs are one of each type that a key is made of.
var specs = []any{
	assignmentSpec{}, classSpec{}, clusterSpec{}, destinationsSpec{}, endpointSpec{}, headerSpec{}, inboundListenerSpec{}, inboundRoutesSpec{},
	inboundSpec{}, localClusterSpec{}, matcherSpec{}, matchSpec{}, memberSpec{}, outboundHTTPSpec{}, outboundRoutesSpec{},
	outboundSpec{}, outboundTCPSpec{}, passthroughSpec{}, policySpec{}, prometheusSpec{}, routeSpec{}, targetSpec{}, tlsSpec{},
	virtualHostSpec{},
}

func TestEverySpecIsListed(t *testing.T) {
	var listed []string
	for _, s := range specs {
		listed = append(listed, reflect.TypeOf(s).Name())
	}
	slices.Sort(listed)
	var written []string
	for _, file := range parsedFiles(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok && strings.HasSuffix(s.Name.Name, "Spec") {
				written = append(written, s.Name.Name)
			}
			return true
		})
	}
	slices.Sort(written)
	if diff := cmp.Diff(written, listed); diff != "" {
		t.Errorf("the specs of this package are not those that the tests of keys know (-package +tests):\n%s", diff)
	}
}

func parsedFiles(t *testing.T) []*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	return files
}

// Whatever a spec is changed in, its key changes, and to a key of its own; put back, it is the old key.
func TestKeysTellSpecsApart(t *testing.T) {
	for _, spec := range specs {
		kind := reflect.TypeOf(spec)
		t.Run(kind.Name(), func(t *testing.T) {
			v := reflect.New(kind).Elem()
			fill(v)
			whole := keyOf(v.Interface())
			owners := map[string]string{whole: "the spec as it was"}
			if empty := keyOf(spec); empty == whole {
				t.Error("an empty spec has the key of a full one")
			}
			changes(v, kind.Name(), func(what string) {
				key := keyOf(v.Interface())
				if other, taken := owners[key]; taken {
					t.Errorf("after %s the key is that of %s", what, other)
				}
				owners[key] = what
			})
			if keyOf(v.Interface()) != whole {
				t.Error("the changes were not taken back")
			}
			again := reflect.New(kind).Elem()
			fill(again)
			if keyOf(again.Interface()) != whole {
				t.Error("an equal spec has another key")
			}
			t.Logf("%d keys", len(owners))
		})
	}
}

// fill gives every field a value that is not zero, and every slice two elements.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("s")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint16, reflect.Uint32:
		v.SetUint(7)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.ValueOf(&part{hash: strings.Repeat("1", 32)}))
	default:
		panic(fmt.Sprintf("a spec has a field of type %s, which this test cannot fill", v.Type()))
	}
}

// changes makes one change after the other to a value, and takes each back: every leaf, and the length of every slice.
func changes(v reflect.Value, path string, each func(what string)) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	try := func(value any, what string) {
		v.Set(reflect.ValueOf(value).Convert(v.Type()))
		each(what + " " + path)
		v.Set(old)
	}
	switch v.Kind() {
	case reflect.String:
		try("", "emptying")
		try("t", "changing")
		try("ss", "lengthening")
	case reflect.Bool:
		try(false, "clearing")
	case reflect.Uint16, reflect.Uint32:
		try(0, "clearing")
		try(8, "changing")
		try(1<<15, "raising")
	case reflect.Struct:
		for i := range v.NumField() {
			changes(v.Field(i), path+"."+v.Type().Field(i).Name, each)
		}
	case reflect.Slice:
		for i := range v.Len() {
			changes(v.Index(i), fmt.Sprintf("%s[%d]", path, i), each)
		}
		try(v.Slice(0, 0).Interface(), "emptying")
		try(v.Slice(0, 1).Interface(), "shortening")
		try(reflect.Append(v.Slice3(0, 2, 2), v.Index(0)).Interface(), "lengthening")
	case reflect.Pointer:
		try((*part)(nil), "clearing")
		try(&part{hash: strings.Repeat("2", 32)}, "changing")
	}
}

// Where one field ends and the next begins is part of the key, and so is the type.
func TestKeysKeepBoundaries(t *testing.T) {
	p, q := &part{hash: strings.Repeat("p", 32)}, &part{hash: strings.Repeat("q", 32)}
	for _, row := range []struct {
		name string
		a, b any
	}{
		{"strings run together", tlsSpec{Minimum: "1.2", Maximum: "1.3"}, tlsSpec{Minimum: "1.21", Maximum: ".3"}},
		{"a string moves", tlsSpec{Minimum: "1.2"}, tlsSpec{Maximum: "1.2"}},
		{"elements run together", tlsSpec{Ciphers: []string{"ab"}}, tlsSpec{Ciphers: []string{"a", "b"}}},
		{"an empty element", tlsSpec{Ciphers: []string{""}}, tlsSpec{}},
		{"an element moves to the next slice", tlsSpec{Ciphers: []string{"a"}, Curves: []string{"b"}}, tlsSpec{Ciphers: []string{"a", "b"}}},
		{"order", tlsSpec{Ciphers: []string{"a", "b"}}, tlsSpec{Ciphers: []string{"b", "a"}}},
		{"numbers run together", memberSpec{Port: 1, Target: 128}, memberSpec{Port: 128, Target: 1}},
		{"a flag moves", families{V4: true}, families{V6: true}},
		{"a part moves", outboundSpec{Matcher: p}, outboundSpec{Otherwise: p}},
		{"a part joins the parts", outboundSpec{Chains: []*part{p}}, outboundSpec{Chains: []*part{p, q}}},
		{"a part becomes a list of one", outboundSpec{Chains: []*part{p}}, outboundSpec{Otherwise: p}},
		{"elements of elements", matcherSpec{[]portMatch{{Port: 1, Destinations: p}, {Port: 2}}}, matcherSpec{[]portMatch{{Port: 1}, {Port: 2, Destinations: p}}}},
		{"the type", headerSpec{Name: "a"}, destinationMatch{Address: "a"}},
		{"text that looks like a length", headerSpec{Name: "\x01a"}, headerSpec{Name: "\x01", Value: "a"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if keyOf(row.a) == keyOf(row.b) {
				t.Errorf("one key for\n%+v\n%+v", row.a, row.b)
			}
		})
	}
}

func TestEqualSpecsHaveEqualKeys(t *testing.T) {
	hash := strings.Repeat("h", 32)
	for _, row := range []struct {
		name string
		a, b any
	}{
		{"no slice and an empty one", tlsSpec{}, tlsSpec{Ciphers: []string{}, Curves: []string{}}},
		{"room to grow", tlsSpec{Ciphers: []string{"a"}}, tlsSpec{Ciphers: append(make([]string, 0, 9), "a")}},
		{"a part made twice", outboundSpec{Matcher: &part{hash: hash}}, outboundSpec{Matcher: &part{hash: hash}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if keyOf(row.a) != keyOf(row.b) {
				t.Error("two keys")
			}
		})
	}
}

// What a key cannot be made of is a bug that shows at once.
func TestKeysRefuseWhatTheyDoNotKnow(t *testing.T) {
	type wrong struct{ Field any }
	for _, spec := range []any{wrong{map[string]string{}}, struct{ M map[string]string }{}, struct{ P *string }{}, struct{ F func() }{}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%T has a key", spec)
				}
			}()
			keyOf(spec)
		}()
	}
}
