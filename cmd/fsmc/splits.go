package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/flomesh-io/fsmc/model"
)

// splits shows how the requests for a service are spread, as bars.
func (v view) splits(b *strings.Builder) {
	if v.Mesh.Count().Splits == 0 {
		return
	}
	v.section(b, "SPLITS", "")
	for split := range v.Mesh.Splits() {
		fmt.Fprintf(b, "  %s  %s\n", v.style.bold(oneLine(split.Root.String())), v.style.dim("by TrafficSplit "+oneLine(split.String())+onlySome(split)))
		longest, sum := 0, uint64(0)
		for backend := range split.Backends.Values() {
			longest = max(longest, utf8.RuneCountInString(backend.Service.Name))
			sum += uint64(backend.Weight)
		}
		for backend := range split.Backends.Values() {
			v.bar(b, backend, min(longest, 40), sum)
		}
	}
}

func onlySome(split *model.Split) string {
	if split.Requests.All {
		return ""
	}
	return fmt.Sprintf(", for requests of %s; others go to the root", plural(split.Requests.Matches.Len(), "match"))
}

// barWidth is the length of a bar of 100 %.
const barWidth = 40

// bar shows the share of one backend.
func (v view) bar(b *strings.Builder, backend model.Backend, longest int, sum uint64) {
	share := 0.0
	if sum > 0 {
		share = float64(backend.Weight) / float64(sum)
	}
	full := int(share*barWidth + 0.5)
	if full == 0 && backend.Weight > 0 {
		full = 1
	}
	bar := v.style.green(strings.Repeat("█", full)) + v.style.dim(strings.Repeat("░", barWidth-full))
	fmt.Fprintf(b, "    %s  %s %5.1f %%  %s\n", pad(oneLine(backend.Service.Name), longest), bar, share*100, v.style.dim(fmt.Sprintf("weight %d", backend.Weight)))
}
