package files

import (
	"fmt"
	"regexp"

	"github.com/flomesh-io/fsmc/model"
)

// manyAlike is how many diagnostics that differ in their object only are shown. A dump by a cluster that knows a field which
// we do not has that field in every pod.
const manyAlike = 10

var indices = regexp.MustCompile(`\[[0-9]+\]`)

// alike leaves out unknown fields that were shown often enough, and says how many more there are.
func alike(diagnostics []model.Diagnostic) []model.Diagnostic {
	type sort struct{ kind, field string }
	count := map[sort]int{}
	last := map[sort]int{}
	var shown []model.Diagnostic
	for _, d := range diagnostics {
		s := sort{d.At.Kind, indices.ReplaceAllString(d.At.Field, "[]")}
		if d.Code == model.UnknownField && d.Level == model.Warning {
			count[s]++
			if count[s] > manyAlike {
				continue
			}
			last[s] = len(shown)
		}
		shown = append(shown, d)
	}
	for s, n := range count {
		if n > manyAlike {
			shown[last[s]].Message += fmt.Sprintf(", and %d more objects write it", n-manyAlike)
		}
	}
	return shown
}
