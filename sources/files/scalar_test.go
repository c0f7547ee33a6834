package files

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestScalars compares what scalars mean with the reader that kubectl uses, as values and as keys.
func TestScalars(t *testing.T) {
	plain := strings.Fields(`
		y Y yes Yes YES yEs n N no No NO nO on On ON oN off Off OFF true True TRUE tRUE false False FALSE fALSE
		~ null Null NULL nULL nil none
		0 1 -1 +1 00 01 010 -010 +010 0o10 0O10 08 09 0x10 0X10 -0x1F 0xfg 0b101 -0b101 0b102 0b+1 -0b-1 0b-1 1_000 _1 1_ 0x_1 -_1
		9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809
		1.0 1. .5 -.5 +.5 . .. -. 1e3 1E3 1e+3 1e-3 .5e1 1.5e400 1e400 -1e400 1_0.5 0.1 1.10 1e21 1e20 123456789.123456789 1e-7 -0 -0.0 0.0
		.e1 1e 1e+ ._5 .5_0 5.e3 0x1p3 .0x1p3 +.e3
		190:20:30 1:60 12:30:45.5 10.0.0.1 10.0.0.0/8 1.2.3 v1 1m 500m 64Mi 1h30m
		2001-01-01 2001-1-1 2001-13-01 2001-01-01T00:00:00Z 2001-01-01t00:00:00Z 2001-12-14T21:59:43.10-05:00 20010101 2001- 12345-1-1
		.inf .Inf .INF +.inf -.inf -.Inf .iNF .nan .NaN .NAN .Nan inf nan
		= << <<x - -- --x +x -x ~x tru t f o Yes! http://x a#b a:b é "" '' "1" '1' "yes" '~' "\u00e9\n\t\\\"" 'it''s'
		!!str !!null !!str|1 !!str|yes !!int|1 !!int|"1" !!int|x !!int|1.5 !!int|99999999999999999999 !!float|1 !!float|1.5 !!float|x !!float|18446744073709551615
		!!bool|yes !!bool|"no" !!bool|x !!null|~ !!null|x !!timestamp|2001-01-01 !!timestamp|x !!binary|aGk= !!binary|//8= !!binary|x !own|x !own|1
	`)
	for _, s := range plain {
		s = strings.Replace(s, "|", " ", 1)
		for _, text := range []string{"v: " + s, s + ": v", "- " + s, "{a: " + s + "}"} {
			t.Run(text, func(t *testing.T) { sameAsTheirs(t, text+"\n") })
		}
	}
	for _, text := range []string{
		"v: |\n  1\n", "v: >\n  yes\n", "v: >-\n  a\n\n  b\n", "v: \"a\\\n  b\"\n", "v: a\n  b\n", "? a\n: b\n", "v:\n", "v: # c\n", "? |\n  1\n: b\n",
	} {
		t.Run(text, func(t *testing.T) { sameAsTheirs(t, text) })
	}
}

// sameAsTheirs fails unless both readers refuse a text, or both accept it and mean the same.
func sameAsTheirs(t *testing.T, text string) {
	t.Helper()
	theirs, err := yaml.YAMLToJSON([]byte(text))
	ours := yamlDocuments(newText("in.yaml", []byte(text)))[0].body()
	if refused := ours.broken || len(ours.findings) > 0; refused || err != nil {
		if refused != (err != nil) {
			t.Errorf("ours: %v %s, theirs: %v %s", ours.findings, ours.json, err, theirs)
		}
		return
	}
	if diff := cmp.Diff(spelledNumbers(t, theirs), spelledNumbers(t, ours.json)); diff != "" {
		t.Errorf("(-theirs +ours):\n%s", diff)
	}
}

// spelledNumbers is a JSON value with its numbers as they are spelled.
func spelledNumbers(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestMappings compares what merges and aliases mean.
func TestMappings(t *testing.T) {
	for _, text := range []string{
		"a: &a {x: 1, z: 0}\nb: {<<: *a, y: 2}\n",
		"a: &a {x: 1}\nb: {<<: *a, x: 2}\n",
		"a: &a {x: 1}\nb: {x: 2, <<: *a}\n",
		"a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b]}\n",
		"a: &a {x: 1}\nb: &b {<<: *a, y: 3}\nc: {<<: *b, <<: {z: 4}}\n",
		"a: {<<: {x: 1}}\n",
		"a: {<<: [{x: 1}, {x: 2, y: 3}]}\n",
		"a: {<<: 1}\n", "a: {<<: [1]}\n", "a: {<<: [[{x: 1}]]}\n", "a: &a 1\nb: {<<: *a}\n",
		"a: {\"<<\": {x: 1}}\n", "a: {!!merge <<: {x: 1}}\n", "a: {!!str <<: {x: 1}}\n", "a: <<\n",
		"a: &a x\n*a : y\n", "a: &a [x]\nb: [*a, *a]\n", "a: &a [*a]\n", "a: &a {b: *a}\n", "a: &a {<<: *a}\n", "b: *a\n",
		"a: &a 1\nb: &a 2\nc: *a\n",
	} {
		t.Run(text, func(t *testing.T) { sameMeaning(t, text) })
	}
}

// sameMeaning is sameAsTheirs for texts whose keys are in another order.
func sameMeaning(t *testing.T, text string) {
	t.Helper()
	_, err := yaml.YAMLToJSON([]byte(text))
	ours := yamlDocuments(newText("in.yaml", []byte(text)))[0].body()
	if refused := ours.broken || len(ours.findings) > 0; refused != (err != nil) {
		t.Errorf("ours: %v %s, theirs: %v", ours.findings, ours.json, err)
	}
	sameAsKubectl(t, []byte(text))
}
