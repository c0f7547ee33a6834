package verdict

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Result is a case with what came of it.
type Result struct {
	Case Case
	// Passed says that the answers were as wanted; otherwise Failure says in words what was not.
	Passed  bool
	Failure string
	// Answers are in the order in which they came; the last ones when there were many.
	Answers []Answer
	Took    time.Duration
}

// Run asks every case, several at a time, and judges the answers. Tolerance is how far, in percentage points, the share
// of a backend may be off. The results are in the order of the cases.
func Run(ctx context.Context, engine Engine, directory Directory, cases []Case, tolerance float64) []Result {
	results := make([]Result, len(cases))
	var group sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, c := range cases {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = run(ctx, engine, directory, c, tolerance)
		})
	}
	group.Wait()
	return results
}

func run(ctx context.Context, engine Engine, directory Directory, c Case, tolerance float64) Result {
	r := Result{Case: c}
	start := time.Now()
	defer func() { r.Took = time.Since(start) }()
	question, err := directory.question(c)
	if err != nil {
		r.Failure = err.Error()
		return r
	}
	for range c.Repeat {
		answer, err := engine.Ask(ctx, question)
		if err != nil {
			r.Failure = err.Error()
			return r
		}
		r.Answers = append(r.Answers, answer)
	}
	r.Failure = judge(c, r.Answers, tolerance)
	r.Passed = r.Failure == ""
	return r
}

// judge says what is not as wanted; empty when all is.
func judge(c Case, answers []Answer, tolerance float64) string {
	for i, a := range answers {
		if failure := judgeOne(c, a); failure != "" {
			if len(answers) > 1 {
				failure = fmt.Sprintf("answer %d of %d: %s", i+1, len(answers), failure)
			}
			return failure
		}
	}
	return judgeShares(c, answers, tolerance)
}

func judgeOne(c Case, a Answer) string {
	got := Deny
	if a.Allowed {
		got = Allow
	}
	switch {
	case got != c.Want:
		return fmt.Sprintf("want %s, got %s%s", c.Want, got, a.because())
	case len(c.Statuses) > 0 && !slices.Contains(c.Statuses, a.Status):
		return fmt.Sprintf("want status %s, got %d%s", numbers(c.Statuses), a.Status, a.because())
	}
	return ""
}

func (a Answer) because() string {
	var parts []string
	if a.Status != 0 {
		parts = append(parts, fmt.Sprintf("status %d", a.Status))
	}
	if a.Backend != "" {
		parts = append(parts, "from "+a.Backend)
	}
	if a.Reason != "" {
		parts = append(parts, a.Reason)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func judgeShares(c Case, answers []Answer, tolerance float64) string {
	if len(c.Backends) == 0 {
		return ""
	}
	counts := map[string]int{}
	for _, a := range answers {
		counts[a.Backend]++
	}
	for _, s := range c.Backends {
		share := 100 * float64(counts[s.Workload]) / float64(len(answers))
		exact := s.Percent == 0 || s.Percent == 100
		if off := math.Abs(share - s.Percent); off > tolerance || exact && off > 0 {
			return fmt.Sprintf("want %g %% from %s, got %.0f %%", s.Percent, s.Workload, share)
		}
		delete(counts, s.Workload)
	}
	for workload := range counts {
		return fmt.Sprintf("an answer came from %q, which is not among the backends", workload)
	}
	return ""
}

func numbers(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = fmt.Sprint(n)
	}
	return strings.Join(words, " or ")
}
