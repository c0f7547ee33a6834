package model

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// codesWritten are the constants of code.go, from their names to their values.
func codesWritten(t *testing.T) map[string]Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]Code{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		written[spec.Names[0].Name] = Code(text)
		return true
	})
	if len(written) < 50 {
		t.Fatalf("only %d codes are found in code.go", len(written))
	}
	return written
}

// Every code has a page, and no page is for a code that is not written.
func TestEveryCodeHasAPage(t *testing.T) {
	var written []Code
	for name, code := range codesWritten(t) {
		written = append(written, code)
		page := code.Page()
		if page.Title == "" || page.Text == "" {
			t.Errorf("%s (%s) has no page", name, code)
			continue
		}
		if !slices.Contains([]Level{Error, Warning, Info}, page.Level) {
			t.Errorf("%s has the level %q", name, page.Level)
		}
		if strings.HasSuffix(page.Title, ".") || strings.Contains(page.Title, "\n") || !unicode.IsUpper([]rune(page.Title)[0]) {
			t.Errorf("%s: the title is one line without a full stop: %q", name, page.Title)
		}
		if !strings.HasSuffix(page.Text, ".") {
			t.Errorf("%s: the text ends in the middle: %q", name, page.Text)
		}
	}
	slices.Sort(written)
	if diff := cmp.Diff(written, Codes()); diff != "" {
		t.Errorf("codes in code.go and codes with pages (-code.go +pages):\n%s", diff)
	}
}

// A code is FSM and four digits, is written once, and has a title of its own.
func TestCodesAreDistinct(t *testing.T) {
	spelling := regexp.MustCompile(`^FSM[1-9][0-9]{3}$`)
	names, titles := map[Code]string{}, map[string]string{}
	for name, code := range codesWritten(t) {
		if !spelling.MatchString(string(code)) {
			t.Errorf("%s is %q", name, code)
		}
		if other, taken := names[code]; taken {
			t.Errorf("%s and %s are both %s", name, other, code)
		}
		if other, taken := titles[code.Page().Title]; taken {
			t.Errorf("%s and %s have one title", name, other)
		}
		names[code], titles[code.Page().Title] = name, name
	}
}

func TestPageOfAnUnknownCode(t *testing.T) {
	if got := Code("FSM9999").Page(); got != (Page{Level: Error}) {
		t.Errorf("%+v", got)
	}
}
