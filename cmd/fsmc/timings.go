package main

import (
	"fmt"
	"strings"
	"time"
)

// timings is how long the steps of a compilation took, as a table, with how much was made.
func timings(c compilation) string {
	var b strings.Builder
	var sum time.Duration
	for _, s := range c.steps {
		sum += s.Took
		fmt.Fprintf(&b, "%-10s %10.1f ms\n", s.Name, float64(s.Took)/float64(time.Millisecond))
	}
	fmt.Fprintf(&b, "%-10s %10.1f ms\n", "all", float64(sum)/float64(time.Millisecond))
	n := c.Output.Counters
	fmt.Fprintf(&b, "made       %s of %s, %s, %d bytes\n", plural(c.Output.Classes.Len(), "class"), plural(n.Views, "view"), plural(n.Builds, "build"), n.Bytes)
	for _, r := range c.reuse {
		if r.Reused > 0 { // nothing is taken over from a compilation that was not there
			fmt.Fprintf(&b, "reused     %.0f %% of %d %s\n", 100*float64(r.Reused)/float64(r.Total), r.Total, r.Kind)
		}
	}
	return b.String()
}
