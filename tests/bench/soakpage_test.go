package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSoakPage has the page tell of a soak that has lost one request and some memory.
func TestSoakPage(t *testing.T) {
	folder := t.TempDir()
	text := `{"date": "2030-01-01", "seconds": 1800, "passedSeconds": 1900, "rate": 10, "edits": 18000, "wantedStreams": 200, "envoys": 5,
		"heapFirstBytes": 1048576, "heapLastBytes": 9437184, "heapMoreBytes": 6291456,
		"asked": 1000, "lost": 1, "asks": {"client asks": {"allowed": 999, "failed": 1}, "guest asks": {"refused": true, "failed": 1}},
		"samples": [{"second": 1, "streams": 210, "heapBytes": 1048576, "lost": 1}, {"second": 900, "streams": 205, "heapBytes": 2097152}],
		"rests": [{"second": 300, "heapBytes": 1048576, "goroutines": 7}, {"second": 1900, "heapBytes": 9437184, "goroutines": 7}],
		"faults": ["1 bytes of heap at the first rest, and 9 at the last"]}`
	if err := os.WriteFile(filepath.Join(folder, "soak.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "performance.md")
	if err := writePage(folder, page); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"minutes of edits | ≥ 30 | 30.0 | met", "at the least | ≥ 200 | 205 | met", "lost requests, of 1000 | 0 | 1 | **missed**",
		"1.0 and 9.0 MiB | **missed**", "7, 0 and 7, 0 | met", "compilation | 0 | 1 | **missed**", "| guest asks, which is never allowed |", "**Fault**: 1 bytes",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	picture, err := os.Open(filepath.Join(strings.TrimSuffix(page, ".md"), "soak.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = picture.Close() }()
	curves := 0
	for decoder := xml.NewDecoder(picture); err == nil; {
		var token xml.Token
		token, err = decoder.Token()
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "polyline" {
			curves++
		}
	}
	if !errors.Is(err, io.EOF) || curves != 3 {
		t.Errorf("the picture has %d curves, and ends with %v", curves, err)
	}
}
