package main

import (
	"fmt"
	"strings"
)

// aimed is what was aimed at, and what was measured.
type aimed struct {
	what, aim, measured string
	met                 bool
}

const (
	compileAim = 1.5
	pushAim    = 1.5
	editAim    = 1.0 / 1000
	streamAim  = 40 << 10
	biggest    = 3000
)

func (b book) aims() []aimed {
	list := append(b.compileAims(), b.editAims()...)
	list = append(list, b.pushAims()...)
	list = append(list, b.dataplaneAims()...)
	list = append(list, b.offlineAims()...)
	return append(list, b.soakAims()...)
}

func (b book) compileAims() (list []aimed) {
	for _, r := range b.compile {
		if strings.HasSuffix(r.Mesh, fmt.Sprintf("/%d", biggest)) {
			list = append(list, aimed{
				fmt.Sprintf("compile %s from scratch, CPU time to the floor", r.Mesh), fmt.Sprintf("≤ %.1f", compileAim), fmt.Sprintf("%.2f", r.Ratio), r.Ratio <= compileAim,
			})
		}
	}
	return list
}

func (b book) editAims() (list []aimed) {
	small := map[string]editCost{}
	for _, r := range b.edit {
		shape, size, _ := strings.Cut(r.Mesh, "/")
		for _, e := range r.Edits {
			if e.Edit != "endpoint" {
				continue
			}
			if size == "100" {
				small[shape] = e
			}
			if size != fmt.Sprint(biggest) {
				continue
			}
			list = append(list,
				aimed{
					fmt.Sprintf("compile %s after an endpoint change, of a full compilation", r.Mesh), "< 1/1000", fraction(e.CompileShare), e.CompileShare < editAim,
				},
				aimed{
					fmt.Sprintf("the same, allocations with 100 services and with %d: no work beyond comparing pointers grows", biggest), "equal",
					fmt.Sprintf("%d and %d", small[shape].Compile.Allocations, e.Compile.Allocations),
					float64(e.Compile.Allocations) <= 1.1*float64(small[shape].Compile.Allocations),
				})
		}
	}
	return list
}

// pushPhases are the phases that aims are about, and what they are called.
var pushPhases = map[string]string{
	"first": "first configuration of all", "endpoint": "an endpoint change", "requests": "a policy change", "egress": "a MeshConfig change", "storm": "all come again",
}

// phaseName is what a phase is called on the page.
func phaseName(phase string) string {
	if name, ok := pushPhases[phase]; ok {
		return name
	}
	return phase
}

func (b book) pushAims() (list []aimed) {
	for _, r := range b.push {
		for i, p := range r.Ours.Phases {
			name, ok := pushPhases[p.Name]
			if !ok {
				continue
			}
			ratio, passed := p.CPU/r.Floor.Phases[i].CPU, p.All/r.Floor.Phases[i].All
			if p.Name == "storm" {
				list = append(list, aimed{fmt.Sprintf("%d proxies: %s with unchanged content, resources pushed", r.Proxies, name), "0", fmt.Sprint(p.Resources), p.Resources == 0})
			}
			list = append(list,
				aimed{fmt.Sprintf("%d proxies: %s, time to the last acknowledgement to the floor", r.Proxies, name), fmt.Sprintf("≤ %.1f", pushAim), fmt.Sprintf("%.2f", passed), passed <= pushAim},
				aimed{fmt.Sprintf("%d proxies: %s, CPU time to the floor", r.Proxies, name), fmt.Sprintf("≤ %.1f", pushAim), fmt.Sprintf("%.2f", ratio), ratio <= pushAim})
		}
		beyond := r.Ours.HeapPerStream + r.Ours.StackPerStream - r.Floor.HeapPerStream - r.Floor.StackPerStream
		list = append(list, aimed{fmt.Sprintf("%d proxies: memory for each stream beyond gRPC's own", r.Proxies), "≤ 40 KiB", fmt.Sprintf("%.1f KiB", beyond/1024), beyond <= streamAim})
	}
	return list
}

func (b book) offlineAims() (list []aimed) {
	for _, r := range b.offline {
		if r.AimSeconds > 0 {
			list = append(list, aimed{fmt.Sprintf("command line, %s, CPU time", r.Case), fmt.Sprintf("< %.0f s", r.AimSeconds), fmt.Sprintf("%.2f s", r.Least), r.Least < r.AimSeconds})
		}
		if r.AimBytes > 0 {
			list = append(list, aimed{fmt.Sprintf("command line, %s, memory", r.Case), "< 1 GiB", fmt.Sprintf("%.2f GiB", float64(r.PeakBytes)/(1<<30)), r.PeakBytes < r.AimBytes})
		}
	}
	return list
}
