package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", 40) + "bc" + strings.Repeat("d", 100)
	tests := []struct {
		name, text string
		column     int
		line, mark string
	}{
		{"a value", "name: routes", 7, "name: routes", "      ^^^^^^"},
		{"up to a comment", "name: routes # why", 7, "name: routes # why", "      ^^^^^^"},
		{"in brackets", "[a, {b: c, d}]", 9, "[a, {b: c, d}]", "        ^"},
		{"after brackets", "{a}: b, c", 6, "{a}: b, c", "     ^^^^"},
		{"windows", "name: x\r\n", 7, "name: x", "      ^"},
		{"tabs", "\tname", 2, " name", " ^^^^"},
		{"at the end", "name:", 6, "name:", "     ^"},
		{"behind the end", "name:", 60, "name:", "     ^"},
		{"an empty line", "", 1, "", "^"},
		{"no column", "name: x", 0, "name: x", ""},
		{"letters of several bytes", "näme: ö", 7, "näme: ö", "      ^"},
		{"escape sequences", "name: \x1b[31mred", 7, "name: \ufffd[31mred", "      ^^^^^^^^"},
		{"a long line, seen from its beginning", long, 3, long[:90] + "…", "  " + strings.Repeat("^", 140)},
		{"a long line, seen from its middle", long, 43, "…" + long[12:102] + "…", strings.Repeat(" ", 31) + strings.Repeat("^", 100)},
		{"a long line, seen from its end", long, 142, "…" + long[52:], strings.Repeat(" ", 90) + "^"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			line, mark := excerpt(test.text, test.column)
			if line != test.line {
				t.Errorf("the line is\n%q, not\n%q", line, test.line)
			}
			if want := cut(test.mark, line); mark != want {
				t.Errorf("the mark is\n%q, not\n%q", mark, want)
			}
		})
	}
}

// cut cuts a mark off where the line ends.
func cut(mark, line string) string {
	end := max(len([]rune(strings.TrimSuffix(line, "…"))), strings.Index(mark, "^")+1)
	return mark[:min(len(mark), end)]
}

func TestReportWithoutAPlace(t *testing.T) {
	r := report{line: func(string, int) (string, bool) { return "", false }, verbose: true}
	got := r.text([]model.Diagnostic{
		{Code: "FSM1", Level: model.Info, Message: "one", Instead: "nothing\nwas done"},
		{Code: "FSM2", Level: model.Warning, Message: "two \x1b[2J", Position: model.Position{File: "a.yaml"}},
		{Code: "FSM3", Level: model.Error, Message: "three", Fix: "this", Position: model.Position{File: "a.yaml", Line: 7}},
	})
	want := `info[FSM1]: one
  = instead: nothing was done

warning[FSM2]: two ` + "\ufffd" + `[2J
 --> a.yaml

error[FSM3]: three
 --> a.yaml:7
  = fix: this

1 error, 1 warning, 1 note
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := r.text(nil); text != "" {
		t.Errorf("nothing was found, and it says %q", text)
	}
}

func TestColours(t *testing.T) {
	r := report{style: style{on: true}, line: func(string, int) (string, bool) { return "name: x", true }}
	got := r.text([]model.Diagnostic{
		{Code: "FSM1", Level: model.Error, Message: "bad", Position: model.Position{File: "a.yaml", Line: 1, Column: 7}},
		{Code: "FSM2", Level: model.Info, Message: "note"},
	})
	want := "\x1b[1;31merror[FSM1]\x1b[0m: \x1b[1mbad\x1b[0m\n" +
		" \x1b[1;34m-->\x1b[0m a.yaml:1:7\n" +
		"  \x1b[1;34m|\x1b[0m\n" +
		"\x1b[1;34m1\x1b[0m \x1b[1;34m|\x1b[0m name: x\n" +
		"  \x1b[1;34m|\x1b[0m \x1b[1;31m      ^\x1b[0m\n\n" +
		"1 error, 1 note\x1b[2m (-v shows the notes)\x1b[0m\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlural(t *testing.T) {
	for want, got := range map[string]string{
		"1 class": plural(1, "class"), "2 classes": plural(2, "class"), "0 proxies": plural(0, "proxy"), "3 matches": plural(3, "match"), "2 files": plural(2, "file"),
	} {
		if got != want {
			t.Errorf("%q is not %q", got, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"compile", "explain", "show"}
	for word, want := range map[string]string{
		"compil": `; did you mean "compile"?`, "Compile": `; did you mean "compile"?`, "shwo": `; did you mean "show"?`, "banana": "", "": "",
	} {
		if got := didYouMean(word, known); got != want {
			t.Errorf("%q: %q", word, got)
		}
	}
}
