package main

import (
	"fmt"
	"strings"
)

const (
	sidecarAim  = 1.1
	ancestorAim = 0.5
	mostVisible = 1000
)

func (b book) dataplaneAims() (list []aimed) {
	for _, r := range b.dataplane {
		list = append(list,
			aimed{fmt.Sprintf("sidecars that see %d services: p50 of a request, to the floor", r.Services), fmt.Sprintf("≤ %.1f", sidecarAim), fmt.Sprintf("%.2f", r.OfFloor.P50), r.OfFloor.P50 <= sidecarAim},
			aimed{fmt.Sprintf("sidecars that see %d services: CPU time for a request, to the floor", r.Services), fmt.Sprintf("≤ %.1f", sidecarAim), fmt.Sprintf("%.2f", r.OfFloor.CPU), r.OfFloor.CPU <= sidecarAim})
		if r.Services == mostVisible {
			list = append(list, aimed{
				fmt.Sprintf("a sidecar that sees %d services: memory, to the ancestor's form", r.Services), fmt.Sprintf("≤ %.1f", ancestorAim),
				fmt.Sprintf("%.2f (%.0f and %.0f MB)", r.OfAncestor.Allocated, float64(r.Ours.Allocated)/1e6, float64(r.Ancestor.Allocated)/1e6), r.OfAncestor.Allocated <= ancestorAim,
			})
		}
	}
	return list
}

func (b book) dataplaneSection(p *strings.Builder, pictures string) {
	if !b.section(p, "Sidecars", "dataplane", `
A client's sidecar and a server's, real Envoys with one worker each, with mutual TLS (1.3) between them; who asks and who answers are processes of
their own. Three forms take turns, round by round. *Ours* is what the compiler emits, served over ADS to Envoys that start from our
bootstrap: the client may send the three requests of a policy to each of so many services. The *floor* is the same Envoy, configured by hand
to do nothing but this: one listener, one route and one cluster in each sidecar. The *ancestor's* form is ours with a connection manager for
each service that the client sees, without calls to the addresses of pods, which the ancestor did not have, and with all of Envoy's
statistics. All three log a line for each request, with the same fields, which goes to /dev/null. Listeners are bound to the address that
is called, so that the redirection, which costs all the same, is not in the figures. At a steady rate of requests, latencies are from when a
request was to begin; CPU time is that of both sidecars, with as many requests as they can answer over four connections. Ratios are medians of
what is compared round by round. Memory is what the client's sidecar has allocated in the end.`) {
		return
	}
	fmt.Fprintf(p, "![CPU time and memory](%s/dataplane.svg)\n\n", pictures)
	p.WriteString("| services | form | p50 µs | ratio | p99 µs | ratio | CPU µs: client | server | ratio | requests/s | MB allocated | before the first request | resident | statistics |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range b.dataplane {
		for _, f := range r.forms() {
			c := f.cost
			fmt.Fprintf(p, "| %d | %s | %.0f | %.2f | %.0f | %.2f | %.1f | %.1f | %.2f | %.0f | %.1f | %.1f | %.1f | %d |\n", r.Services, f.name, c.P50*1e6, f.ratio.P50, c.P99*1e6, f.ratio.P99,
				c.ClientCPU*1e6, c.ServerCPU*1e6, f.ratio.CPU, c.PerSecond, float64(c.Allocated)/1e6, float64(c.Before)/1e6, float64(c.Resident)/1e6, c.Statistics)
		}
	}
	p.WriteString("\nRatios are ours to the form of the line.\n")
	for _, r := range b.dataplane {
		if len(r.Memory) == 0 {
			continue
		}
		fmt.Fprintf(p, "\nWhat the memory of a sidecar that sees %d services is for: allocated before the first request, when something is different.\nCalls to the addresses of pods (decision 0004) take a second cluster with a TLS context of its own, and a chain, for each service.\n\n| | MB |\n|---|--:|\n", r.Services)
		for _, m := range r.Memory {
			fmt.Fprintf(p, "| %s | %.1f |\n", m.Name, float64(m.Allocated)/1e6)
		}
	}
}

// dataplanePicture shows CPU time to the floor, and memory to the ancestor's form.
func (b book) dataplanePicture() picture {
	c := picture{title: "Sidecars: ours, times the floor (CPU, p50) and times the ancestor's form (memory)", aim: sidecarAim, scale: linear(2)}
	for _, r := range b.dataplane {
		group := fmt.Sprintf("%d services", r.Services)
		for _, x := range []struct {
			label string
			value float64
			pale  bool
		}{{"CPU", r.OfFloor.CPU, false}, {"p50", r.OfFloor.P50, false}, {"memory", r.OfAncestor.Allocated, true}} {
			c.bars = append(c.bars, bar{group, x.label, x.value, fmt.Sprintf("%.2f", x.value), x.pale})
		}
	}
	return c
}
