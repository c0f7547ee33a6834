package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// book is all that is kept of runs.
type book struct {
	runs      map[string]result
	compile   []row
	replicas  []replicas
	edit      []editRow
	push      []pushRow
	offline   []offlineRow
	dataplane []dataplaneRow
	soak      *record.Report
	profiles  map[string]string
}

// writePage writes the page of the results in a folder, and its pictures beside it in a folder of the page's name.
func writePage(folder, file string) error {
	b, err := open(folder)
	if err != nil {
		return err
	}
	pictures := strings.TrimSuffix(file, ".md")
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		return err
	}
	err = os.WriteFile(file, []byte(b.page(filepath.Base(pictures))), 0o644)
	if b.soak != nil {
		err = errors.Join(err, os.WriteFile(filepath.Join(pictures, "soak.svg"), []byte(soakPicture(b.soak)), 0o644))
	}
	for name, p := range b.pictures() {
		err = errors.Join(err, os.WriteFile(filepath.Join(pictures, name+".svg"), []byte(p.svg()), 0o644))
	}
	return err
}

func open(folder string) (b book, err error) {
	b.runs, b.profiles = map[string]result{}, map[string]string{}
	err = errors.Join(
		load(b.runs, folder, "compile", &b.compile), load(b.runs, folder, "replicas", &b.replicas), load(b.runs, folder, "edit", &b.edit),
		load(b.runs, folder, "push", &b.push), load(b.runs, folder, "offline", &b.offline),
		load(b.runs, folder, "dataplane", &b.dataplane),
	)
	var fault error
	b.soak, fault = openSoak(folder)
	err = errors.Join(err, fault)
	for _, name := range []string{"compile", "push"} {
		text, fault := os.ReadFile(filepath.Join(folder, "profile-"+name+".txt"))
		if fault != nil && !os.IsNotExist(fault) {
			err = errors.Join(err, fault)
		}
		b.profiles[name] = string(text)
	}
	return b, err
}

func load[T any](runs map[string]result, folder, family string, rows *[]T) error {
	r, list, ok, err := kept[T](folder, family)
	if ok {
		runs[family], *rows = r, list
	}
	return err
}

// page is the whole page; it is the same for the same results.
func (b book) page(pictures string) string {
	var p strings.Builder
	p.WriteString(`<!-- Written by tests/bench from bench/results; make codegen writes it again. -->

# Performance

Everything here was measured by ` + "`make bench`" + ` on one machine, what is compared in turn on that machine. Ratios are what to look at:
absolute figures are of this machine, which is a small one. The raw results are in [bench/results](../bench/results).

## Aims

| what | aim | measured | |
|---|---|---|---|
`)
	for _, a := range b.aims() {
		verdict := "met"
		if !a.met {
			verdict = "**missed**"
		}
		fmt.Fprintf(&p, "| %s | %s | %s | %s |\n", a.what, a.aim, a.measured, verdict)
	}
	b.compileSection(&p, pictures)
	b.editSection(&p, pictures)
	b.pushSection(&p, pictures)
	b.dataplaneSection(&p, pictures)
	b.offlineSection(&p)
	b.soakSection(&p, pictures)
	return p.String()
}

// section begins a part, with where and how it was measured; it says whether there is anything to tell.
func (b book) section(p *strings.Builder, title, family, text string) bool {
	r, ok := b.runs[family]
	if !ok {
		return false
	}
	m := r.Machine
	fmt.Fprintf(p, "\n## %s\n\n%s\n\n*%s, commit %s, `%s`: %s, %d processors, %s of memory, %s, %s.%s*\n\n", title, strings.TrimSpace(text),
		r.Date, r.Commit, r.Command, m.Processor, m.CPUs, m.Memory, m.Platform, m.Go, noted(r.Note))
	return true
}

// noted is a note as the end of a paragraph.
func noted(note string) string {
	if note == "" {
		return ""
	}
	return " " + note
}

func (b book) compileSection(p *strings.Builder, pictures string) {
	if !b.section(p, "Compiling from scratch", "compile", `
Meshes of three shapes with ten pods for each Deployment. The floor builds each distinct resource of the result once from values that
are ready, marshals it deterministically and hashes it; it decides nothing. The shared floor builds each distinct part of a resource
once, such as a virtual host. Seconds are CPU time on one processor, the least of several runs, without garbage collection.`) {
		return
	}
	fmt.Fprintf(p, "![ratios to the floor](%s/compile.svg)\n\n", pictures)
	p.WriteString("| mesh | proxies | classes | resources | compile s | floor s | ratio | shared floor s | ratio | allocations | peak MB | MB out |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range b.compile {
		fmt.Fprintf(p, "| %s | %d | %d | %d | %.3f | %.3f | %.2f | %.3f | %.2f | %d | %.0f | %.1f |\n", r.Mesh, r.Proxies, r.Classes, r.Resources,
			r.Work.Least, r.Floor.Least, r.Ratio, r.SharedFloor.Least, r.SharedRatio, r.Work.Allocations, float64(r.PeakBytes)/1e6, float64(r.Counters.Bytes)/1e6)
	}
	p.WriteString("\nReading, completing and resolving the same meshes, with garbage collection:\n\n| mesh | read manifests, objects/s | read a dump, objects/s | complete s | resolve s | compile s |\n|---|--:|--:|--:|--:|--:|\n")
	for _, r := range b.compile {
		fmt.Fprintf(p, "| %s | %.0f | %.0f | %.3f | %.3f | %.3f |\n", r.Mesh, r.Manifests.perSecond(), r.Dump.perSecond(), r.Complete.Least, r.Resolve.Least, r.Compile.Least)
	}
	if len(b.replicas) > 0 {
		p.WriteString("\nThe work does not grow with replicas: views and builds with one pod of each Deployment, with 99 more that are no endpoints, and with 99 more that are.\n\n| mesh | one | 99 more, not ready | 99 more, ready |\n|---|--:|--:|--:|\n")
		for _, r := range b.replicas {
			fmt.Fprintf(p, "| %s | %d, %d | %d, %d | %d, %d |\n", r.Mesh, r.One.Views, r.One.Builds, r.Hundred.Views, r.Hundred.Builds, r.Ready.Views, r.Ready.Builds)
		}
	}
	b.profile(p, "compile", "Where the time of compiling power-law/3000 from scratch goes")
}

func (b book) profile(p *strings.Builder, name, title string) {
	if text := b.profiles[name]; text != "" {
		fmt.Fprintf(p, "\n<details><summary>%s</summary>\n\n```text\n%s\n```\n\n</details>\n", title, strings.TrimSpace(text))
	}
}

func (b book) editSection(p *strings.Builder, pictures string) {
	if !b.section(p, "Small changes", "edit", `
Objects of a cluster are changed as a cluster does it, and go through CompleteFrom, ResolveFrom and CompileFrom over what was there
before. Microseconds are CPU time on one processor, the median of many changes, without garbage collection; shares are of the same
from scratch (which has its least). In turn: an endpoint becomes ready or stops being so; a pod moves to
another address, which is in the listeners of its callers; a policy admits one client more or less; the requests
of a policy change; a limit in the MeshConfig changes, which concerns no configuration; egress is switched, which concerns all.`) {
		return
	}
	fmt.Fprintf(p, "![CompileFrom after one change](%s/edit.svg)\n\n", pictures)
	p.WriteString("| mesh | change | complete µs | resolve µs | compile µs | share | whole µs | share | classes changed | builds | allocations of compile |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range b.edit {
		f := r.Full
		fmt.Fprintf(p, "| %s | from scratch | %.0f | %.0f | %.0f | 1 | %.0f | 1 | %d | | %d |\n", r.Mesh, f.Complete.Least*1e6, f.Resolve.Least*1e6, f.Compile.Least*1e6, f.Whole.Least*1e6, r.Classes, f.Compile.Allocations)
		for _, e := range r.Edits {
			fmt.Fprintf(p, "| %s | %s | %.0f | %.0f | %.0f | %s | %.0f | %s | %d of %d | %d | %d |\n", r.Mesh, e.Edit, e.Complete.Median*1e6, e.Resolve.Median*1e6, e.Compile.Median*1e6,
				fraction(e.CompileShare), e.Whole.Median*1e6, fraction(e.WholeShare), e.Classes, r.Classes, e.Counters.Builds, e.Compile.Allocations)
		}
	}
}

func (b book) pushSection(p *strings.Builder, pictures string) {
	if !b.section(p, "Serving", "push", `
Simulated proxies in a process of their own, over mutual TLS on loopback, each with a connection and a delta stream. They ask as Envoy
does: for all clusters, for the endpoints and secrets that those refer to, for all listeners, for their route tables; and acknowledge
everything. The mesh is power-law/100, with as many pods as there are proxies. The floor is a gRPC server over the same TLS that has
the bytes of every class ready, sends them, and counts the answers. It broadcasts what there is at once, which ADS must not do: what
routes to a cluster waits until the proxy has the cluster, and secrets are asked for twice. So there is a second floor, that sends the
same bytes in the messages and in the order of ADS. Aims are about the first. All servers take turns, for several rounds, and figures
are the medians of those. Changes are at the service that is called by the most; they are published as compiled, so that compiling is
not in the figures. Server and proxies share the processors. Times are from the publication until a proxy has acknowledged the last
resource; what nothing refers to any more is removed two seconds later, on purpose, which is not in the times but in the CPU time.`) {
		return
	}
	fmt.Fprintf(p, "![CPU time to the floor](%s/push.svg)\n\n", pictures)
	p.WriteString("| proxies | phase | streams | all ms | p50 ms | p99 ms | floor: all | p50 | p99 | in order: all | server CPU ms | floor | ratio | in order | ratio | messages | resources | of those secrets | MB |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range b.push {
		for i, x := range r.Ours.Phases {
			f, q := r.Floor.Phases[i], phase{}
			if i < len(r.Paced.Phases) { // figures that were kept earlier lack it
				q = r.Paced.Phases[i]
			}
			fmt.Fprintf(p, "| %d | %s | %d | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %s | %.1f | %s | %d | %d | %d | %.2f |\n", r.Proxies, phaseName(x.Name), x.Streams, x.All*1e3, x.P50*1e3, x.P99*1e3,
				f.All*1e3, f.P50*1e3, f.P99*1e3, q.All*1e3, x.CPU*1e3, f.CPU*1e3, times(x.CPU, f.CPU), q.CPU*1e3, times(x.CPU, q.CPU), x.Messages, x.Resources, x.Secrets, float64(x.Bytes)/1e6)
		}
	}
	p.WriteString("\nMemory in use for each stream that is settled, TLS and gRPC included, without the connections before the first:\n\n| proxies | heap KiB | floor | stacks KiB | floor | beyond gRPC's own |\n|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range b.push {
		o, f := r.Ours, r.Floor
		fmt.Fprintf(p, "| %d | %.1f | %.1f | %.1f | %.1f | %.1f |\n", r.Proxies, o.HeapPerStream/1024, f.HeapPerStream/1024, o.StackPerStream/1024, f.StackPerStream/1024,
			(o.HeapPerStream+o.StackPerStream-f.HeapPerStream-f.StackPerStream)/1024)
	}
	b.profile(p, "push", "Where the time of serving 1,000 proxies goes, over all phases")
}

// times is how often a floor fits into a figure; a dash if there is no floor.
func times(figure, floor float64) string {
	if floor == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", figure/floor)
}

func (b book) offlineSection(p *strings.Builder) {
	if !b.section(p, "The command line from a cold start", "offline", `
Each run is a process; seconds are all of its CPU time, user and system, the least of three. With `+"`-o`"+` a tree of files is written into a new folder, with a
certificate for each proxy; without, everything is compiled and only what was found is written.`) {
		return
	}
	p.WriteString("| case | objects | MB read | files written | MB written | CPU s | passed s | peak MB | command |\n|---|--:|--:|--:|--:|--:|--:|--:|---|\n")
	for _, r := range b.offline {
		fmt.Fprintf(p, "| %s | %d | %.1f | %d | %.1f | %.2f | %.2f | %.0f | `%s` |\n", r.Case, r.Objects, float64(r.Bytes)/1e6, r.Files, float64(r.Written)/1e6, r.Least, r.Passed, float64(r.PeakBytes)/1e6, r.Command)
	}
}

// pictures are the charts of the page by name.
func (b book) pictures() map[string]picture {
	all := map[string]picture{}
	if len(b.compile) > 0 {
		c := picture{title: "Compiling from scratch: CPU time, times the floor", aim: compileAim, scale: linear(2)}
		for _, r := range b.compile {
			shape, size, _ := strings.Cut(r.Mesh, "/")
			c.bars = append(c.bars, bar{shape, size + " services", r.Ratio, fmt.Sprintf("%.2f", r.Ratio), false})
		}
		all["compile"] = c
	}
	if len(b.edit) > 0 {
		all["edit"] = b.editPicture()
	}
	if len(b.push) > 0 {
		c := picture{title: "Serving: CPU time of the server, times the floor", aim: pushAim, scale: linear(2)}
		for _, r := range b.push {
			for i, x := range r.Ours.Phases {
				ratio := x.CPU / r.Floor.Phases[i].CPU
				c.bars = append(c.bars, bar{fmt.Sprintf("%d proxies", r.Proxies), phaseName(x.Name), ratio, fmt.Sprintf("%.2f", ratio), false})
			}
		}
		all["push"] = c
	}
	if len(b.dataplane) > 0 {
		all["dataplane"] = b.dataplanePicture()
	}
	return all
}

// editPicture shows each change in meshes of all sizes, beside the whole compilation.
func (b book) editPicture() picture {
	c := picture{title: "CompileFrom in microseconds of CPU time (every step to the right is a multiple)", scale: logarithmic(1, 1e7)}
	for _, r := range b.edit {
		if !strings.HasPrefix(r.Mesh, "power-law/") {
			continue
		}
		full := r.Full.Compile.Least * 1e6
		c.bars = append(c.bars, bar{r.Mesh, "from scratch", full, fmt.Sprintf("%.0f µs", full), true})
		for _, e := range r.Edits {
			v := e.Compile.Median * 1e6
			c.bars = append(c.bars, bar{r.Mesh, e.Edit, v, fmt.Sprintf("%.0f µs", v), false})
		}
	}
	return c
}
