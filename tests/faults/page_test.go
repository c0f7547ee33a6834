package faults

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// Every test that the page of faults names is there, and every test of this package is on the page.
func TestThePageNamesItsTests(t *testing.T) {
	t.Parallel()
	page := string(text(t, filepath.Join(parts.Root(t), "docs", "faults.md")))
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z/]+)` (Test\\w+)").FindAllStringSubmatch(page, -1) {
		named[m[1]+" "+m[2]] = true
		if !tests(t, m[1])[m[2]] {
			t.Errorf("there is no %s in %s", m[2], m[1])
		}
	}
	for name := range tests(t, "tests/faults") {
		if name != t.Name() && !named["tests/faults "+name] {
			t.Errorf("docs/faults.md does not name %s", name)
		}
	}
	for row := range strings.Lines(page) {
		if strings.HasPrefix(row, "| ") && !strings.Contains(row, "Test") && !strings.HasPrefix(row, "| fault ") {
			t.Errorf("a row names no test: %s", row)
		}
	}
}

// tests are the tests of a package.
func tests(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(parts.Root(t), filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllStringSubmatch(string(source), -1) {
			all[m[1]] = true
		}
	}
	return all
}
