package model

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Diagnostics stand by place, then code, then text, each once, in whatever order they were found.
func TestSortDiagnostics(t *testing.T) {
	want := []Diagnostic{
		{At: Ref{Kind: "A"}, Message: "without a position first"},
		{Position: Position{File: "a.yaml", Line: 1, Column: 2}, At: Ref{Kind: "Z"}, Code: "FSM9"},
		{Position: Position{File: "a.yaml", Line: 1, Column: 10}},
		{Position: Position{File: "a.yaml", Line: 2}, At: Ref{Kind: "A"}, Code: "FSM1"},
		{Position: Position{File: "a.yaml", Line: 2}, At: Ref{Kind: "A"}, Code: "FSM2", Message: "a"},
		{Position: Position{File: "a.yaml", Line: 2}, At: Ref{Kind: "A"}, Code: "FSM2", Message: "b", Instead: "a"},
		{Position: Position{File: "a.yaml", Line: 2}, At: Ref{Kind: "A"}, Code: "FSM2", Message: "b", Instead: "b", Fix: "a"},
		{Position: Position{File: "a.yaml", Line: 2}, At: Ref{Kind: "A"}, Code: "FSM2", Message: "b", Instead: "b", Fix: "b"},
		{Position: Position{File: "a.yaml", Line: 2}, At: Ref{Kind: "B"}, Code: "FSM1"},
		{Position: Position{File: "b.yaml", Line: 1}},
	}
	found := slices.Concat(want, want)
	for range len(found) {
		found = append(found[1:], found[0]) // every rotation, then backwards
		checkOrder(t, want, found)
	}
	slices.Reverse(found)
	checkOrder(t, want, found)
	if got := SortDiagnostics(nil); len(got) != 0 {
		t.Errorf("of none: %v", got)
	}
}

func checkOrder(t *testing.T, want, found []Diagnostic) {
	t.Helper()
	given := slices.Clone(found)
	if diff := cmp.Diff(want, SortDiagnostics(found)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.Equal(given, found) {
		t.Error("the diagnostics that were given are in another order now")
	}
}

// A diagnostic is made of parts, and what it is made from stays as it was.
func TestDiagnosticsAreValues(t *testing.T) {
	at := Ref{Kind: "Service", Namespace: "shop", Name: "web"}
	plain := Note(NoSources, at, "message")
	whole := plain.Did("instead").Mend("fix")
	if want := (Diagnostic{Code: NoSources, Level: Error, Message: "message", At: at}); plain != want {
		t.Errorf("%+v", plain)
	}
	if want := (Diagnostic{Code: NoSources, Level: Error, Message: "message", Instead: "instead", Fix: "fix", At: at}); whole != want {
		t.Errorf("%+v", whole)
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[Level]int{Error: 0, Warning: 1, Info: 2, "": 0, "catastrophe": 0} {
		if got := level.Rank(); got != want {
			t.Errorf("%q has rank %d", level, got)
		}
	}
}
