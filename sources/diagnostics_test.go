package sources

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// codesAndPlaces are the diagnostics as <code> <place>, in their order.
func codesAndPlaces(diagnostics []model.Diagnostic) []string {
	texts := []string{}
	for _, d := range model.SortDiagnostics(diagnostics) {
		texts = append(texts, fmt.Sprintf("%s %s", d.Code, d.At))
	}
	return texts
}

func wantFindings(t *testing.T, diagnostics []model.Diagnostic, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), codesAndPlaces(diagnostics)); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}
