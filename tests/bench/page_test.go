package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPage writes the page of some results twice: it is the same, says what is missed, and its pictures can be read.
func TestPage(t *testing.T) {
	folder := t.TempDir()
	rows := map[string][]any{
		"compile": {row{Mesh: "star/3000", Ratio: 1.4}, row{Mesh: "trees/3000", Ratio: 1.6}},
		"edit": {editRow{Mesh: "power-law/100", Edits: []editCost{{Edit: "endpoint"}}}, editRow{
			Mesh: "power-law/3000", Edits: []editCost{{Edit: "endpoint", CompileShare: 0.0005}},
		}},
		"push":      {pushRow{Proxies: 10, Ours: serverRow{Phases: []phase{{Name: "first", CPU: 3, All: 1}}}, Floor: serverRow{Phases: []phase{{Name: "first", CPU: 1, All: 1}}}, Paced: serverRow{Phases: []phase{{Name: "first", CPU: 2, All: 1}}}}},
		"dataplane": {dataplaneRow{Services: 1000, OfFloor: formRatio{CPU: 1.05, P50: 1.2}, OfAncestor: formRatio{Allocated: 0.45}}},
		"offline":   {offlineRow{Case: "a < b", AimSeconds: 1, Least: 0.5}},
	}
	for family, list := range rows { //ordered: each is a file
		r := result{Date: "2030-01-01", Command: "make bench"}
		for _, x := range list {
			text, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			r.Rows = append(r.Rows, text)
		}
		if err := keep(folder, family, r); err != nil {
			t.Fatal(err)
		}
	}
	page := filepath.Join(t.TempDir(), "performance.md")
	var texts [2]string
	for i := range texts {
		if err := writePage(folder, page); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	if texts[0] != texts[1] {
		t.Error("the page is another the second time")
	}
	for _, want := range []string{
		"star/3000 from scratch, CPU time to the floor | ≤ 1.5 | 1.40 | met", "| 1.60 | **missed**", "| 1/2000 | met", "CPU time to the floor | ≤ 1.5 | 3.00 | **missed**", "| 0.50 s | met",
		"CPU time for a request, to the floor | ≤ 1.1 | 1.05 | met", "p50 of a request, to the floor | ≤ 1.1 | 1.20 | **missed**", "| 0.45 (0 and 0 MB) | met",
	} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("the page lacks %q:\n%s", want, texts[0])
		}
	}
	for _, name := range []string{"compile", "edit", "push", "dataplane"} {
		checkPicture(t, filepath.Join(strings.TrimSuffix(page, ".md"), name+".svg"))
	}
}

func checkPicture(t *testing.T, path string) {
	t.Helper()
	text, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = text.Close() }()
	bars := 0
	for decoder := xml.NewDecoder(text); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			bars++
		}
	}
	if bars == 0 {
		t.Errorf("%s has no bars", path)
	}
}
