package disk

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	yamlv3 "go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/google/go-cmp/cmp"
)

func TestYAMLIsReadBackAsTheSameJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := anyJSON(3).Draw(t, "value")
		text, err := YAML(value)
		if err != nil {
			t.Fatal(err)
		}
		want := viaJSON(t, value)

		read, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatalf("a reader of YAML 1.1 refuses it: %v\n%s", err, text)
		}
		if diff := cmp.Diff(want, decodeJSON(t, read)); diff != "" {
			t.Fatalf("a reader of YAML 1.1 sees something else (-want +got):\n%s\n%s", diff, text)
		}

		var strict any
		if err := yamlv3.Unmarshal(text, &strict); err != nil {
			t.Fatalf("a reader of YAML 1.2 refuses it: %v\n%s", err, text)
		}
		if diff := cmp.Diff(want, viaJSON(t, strict)); diff != "" {
			t.Fatalf("a reader of YAML 1.2 sees something else (-want +got):\n%s\n%s", diff, text)
		}
	})
}

func TestYAMLAndJSONSayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := anyJSON(3).Draw(t, "value")
		text, err := JSON(value)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(viaJSON(t, value), decodeJSON(t, text)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestYAMLStyle(t *testing.T) {
	var value any
	input := `{"version": "1.10", "b": [[1, 2], [], {}, {"y": null, "x": {"k": true}}], "a": {"c": [{"d": "e", "f": ["g"]}]},
		"@type": "type.googleapis.com/x", "text": "two\nlines", "big": 1e30, "max": 18446744073709551615}`
	decoder := json.NewDecoder(strings.NewReader(input))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	text, err := YAML(value)
	if err != nil {
		t.Fatal(err)
	}
	want := `"@type": type.googleapis.com/x
a:
  c:
  - d: e
    f:
    - g
b:
- - 1
  - 2
- []
- {}
- x:
    k: true
  "y": null
big: 1.0e+30
max: 18446744073709551615
text: "two\nlines"
version: "1.10"
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}

func TestYAMLQuotesWhatReadersDisagreeAbout(t *testing.T) {
	quoted := []string{"", " ", "y", "N", "Yes", "no", "ON", "off", "true", "False", "null", "~", "Null", "=", "<<", ".inf", "-.INF", ".NaN", "nan",
		"010", "0x10", "0o7", "0b1", "1e3", "1E5", "12e03", "1_000", "+1", "-1", ".5", "1.", "190:20:30", "2001-12-14", "2001-12-14T21:59:43Z",
		"10.0.0.1", "fd00:", "- a", "-", "a: b", "a:", "a #b", " a", "a ", "#a", "*", "&a", "!a", "%a", "@a", "`a", "[a", "{a", "a]", "a, b", "'a'", `"`, "|", ">",
		"two\nlines", "tab\t", "\u00a0", "\u2028", "é", "\x00", "\x7f", "? a", "---", "...", "0xdeadbeef", "123456789abcdef"}
	for _, s := range quoted {
		if text := string(appendString(nil, s)); !strings.HasPrefix(text, `"`) {
			t.Errorf("%q is written as %s, without quotes", s, text)
		}
	}
	plain := []string{"bookstore", "bookstore/bookstore-v1", "bookstore/bookstore|14001", "5s", "0.25s", "10.0.0.1/32", ".*a-book.*new", "/books-bought", "a:b",
		"type.googleapis.com/envoy.config.cluster.v3.Cluster", "spiffe://cluster.local/ns/a/sa/b", "%REQ(:METHOD)%x"[1:], "outbound_bookstore/bookstore_14001_http", "GET"}
	for _, s := range plain {
		if text := string(appendString(nil, s)); text != s {
			t.Errorf("%q is written as %s", s, text)
		}
	}
}

func TestYAMLKeysLongerThanAReaderTakes(t *testing.T) {
	value := map[string]any{strings.Repeat("k", 2000): map[string]any{"a": []any{"b"}}, "z": strings.Repeat("v", 2000)}
	text, err := YAML(value)
	if err != nil {
		t.Fatal(err)
	}
	read, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(viaJSON(t, value), decodeJSON(t, read)); diff != "" {
		t.Error(diff)
	}
}

func TestYAMLRefusesWhatIsNotJSON(t *testing.T) {
	if text, err := YAML(func() {}); err == nil {
		t.Errorf("a function was written as %s", text)
	}
	if text, err := JSON(math.NaN()); err == nil {
		t.Errorf("NaN was written as %s", text)
	}
}

// anyJSON draws values as encoding/json decodes them; strings are the ones that readers stumble over.
func anyJSON(depth int) *rapid.Generator[any] {
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[-+.0-9eExXobt_: TZ]{1,8}`),
		rapid.StringMatching(`[-?:,\[\]{}#&*!|>'"%@ a\\`+"`"+`\n\t]{1,6}`),
		rapid.SampledFrom([]string{"y", "no", "On", "~", "null", "NULL", ".nan", "-.inf", "<<", "=", "---", "...", "\u0085", "\ufeff", "😀", "0777", "0x", "1e3", "12:30:45"}),
	)
	leaf := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Just[any](nil),
	)
	if depth == 0 {
		return leaf
	}
	inner := anyJSON(depth - 1)
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(s []any) any { return s }),
		rapid.Map(rapid.MapOfN(text, inner, 0, 4), func(m map[string]any) any { return m }),
	)
}

// viaJSON is the value as JSON has it, numbers as numbers.
func viaJSON(t interface{ Fatal(...any) }, value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, text)
}

func decodeJSON(t interface{ Fatal(...any) }, text []byte) any {
	var value any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
