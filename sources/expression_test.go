package sources

import (
	"strings"
	"testing"
)

// What is said here of Envoy was tried on Envoy 1.40.
func TestExpressions(t *testing.T) {
	tests := []struct {
		name string
		text string
		ok   bool
		open bool
	}{
		{"literal", "/books", true, false},
		{"ends in .*", "/books/.*", true, true},
		{"ends in .+", "/books/.+", true, true},
		{"ends in .*?", "/books/.*?", true, true},
		{"ends in $", "^/books$", true, true},
		{"ends in an escaped $", `/books\$`, true, false},
		{"ends in escaped dots", `/books\.*`, true, false},
		{"ends in a class repeated", "/books/[a-z]*", true, false},
		{"group at the end", "/books(/.*)", true, true},
		{"alternatives that all end open", "/a.*|/b$", true, true},
		{"alternatives of which one does not", "/a.*|/b", true, false},
		{"common beginnings", "/ab.*|/ac.*", true, true},
		{"anything", ".*", true, true},
		{"empty", "", true, false},
		{"look-ahead", "/(?!admin).*", false, false},
		{"look-behind", "(?<=a)b", false, false},
		{"back reference", `(a)\1`, false, false},
		{"unclosed", "(", false, false},
		{"repeated too often", "a{1001}", false, false},
		{"nested repetitions", "(a{100}){100}", false, false},
		{"named group", "(?<n>a)(?P<m>b)", true, false},
		{"one byte", `\x41\x{ff}`, true, false},
		{"more than one byte", `\x{100}`, false, false},
		{"class", `\p{Greek}\pL\P{^Lu}\p{Any}`, true, false},
		{"class in another case", `\p{greek}`, false, false},
		{"class by its long name", `\p{Letter}`, false, false},
		{"class that RE2 lacks", `\p{Cn}`, false, false},
		{"quoted escapes are text", `\Q\x{100}\p{x}\E/.*`, true, true},
		{"escapes after a quotation", `\Qa\E\x{100}`, false, false},
		{"quotation without an end", `\Qa\p{x}`, true, false},
		{"escaped backslash", `\\p{2}`, true, false},
		{"long", strings.Repeat("a", maxExpression), true, false},
		{"too long", strings.Repeat("a", maxExpression+1), false, false},
		{"large", "(/[a-z]{1,1000}){1}" + strings.Repeat("[a-z]{1000}", 9), true, false},
		{"too large", strings.Repeat("[a-z]{1000}", 20), false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found := expressions{}.check(test.text)
			if ok := found.problem == ""; ok != test.ok {
				t.Errorf("ok is %v, want %v: %s", ok, test.ok, found.problem)
			}
			if found.open != test.open {
				t.Errorf("open is %v, want %v", found.open, test.open)
			}
			if strings.HasPrefix(found.problem, "error parsing") {
				t.Errorf("it is told twice that it is an error: %s", found.problem)
			}
		})
	}
}

func TestExpressionsAreRemembered(t *testing.T) {
	known := expressions{"a": {problem: "remembered"}}
	if got := known.check("a").problem; got != "remembered" {
		t.Errorf("got %q", got)
	}
	known.check("b.*")
	if !known["b.*"].open {
		t.Error("b.* was not remembered")
	}
}
