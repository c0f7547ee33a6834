package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// offlineRow is what the command line needs from a cold start, files to files.
type offlineRow struct {
	Case    string `json:"case"`
	Command string `json:"command"`
	// Objects and Bytes are what is read, Files and Written what is there afterwards.
	Objects int   `json:"objects"`
	Bytes   int   `json:"bytes"`
	Files   int   `json:"files"`
	Written int64 `json:"written"`
	// Seconds are CPU time of the process, user and system, of each run; Least is the least. Passed is the time that
	// passed in the run that took the least CPU time.
	Seconds []float64 `json:"seconds"`
	Least   float64   `json:"least"`
	Passed  float64   `json:"passed"`
	// PeakBytes is the most that was resident in any run; 0 where the system does not tell.
	PeakBytes uint64 `json:"peakBytes"`
	// AimSeconds and AimBytes are what is aimed at; 0 is nothing.
	AimSeconds float64 `json:"aimSeconds"`
	AimBytes   uint64  `json:"aimBytes"`
}

// offlineCase is an input of the command line.
type offlineCase struct {
	name string
	// file is the name of the input, whose end says what it is.
	file    string
	objects func() sources.Objects
	args    []string
	seconds float64
	bytes   uint64
}

// withoutFiles compiles and writes no configuration: 30,000 pods are as many files.
var withoutFiles = []string{"--stage", "diagnostics"}

func offlineCases() []offlineCase {
	return []offlineCase{
		{name: "400-services", file: "mesh.yaml", objects: func() sources.Objects { return shapes.PowerLaw(400).Manifests(1) }, seconds: 1},
		{name: "10000-objects", file: "mesh.yaml", objects: func() sources.Objects { return shapes.PowerLaw(2700).Manifests(1) }, args: withoutFiles, seconds: 2},
		{name: "10000-objects-to-files", file: "mesh.yaml", objects: func() sources.Objects { return shapes.PowerLaw(2700).Manifests(1) }},
		{name: "30000-pods-json", file: "dump.json", objects: func() sources.Objects { return shapes.PowerLaw(3000).Dump(10, 10) }, args: withoutFiles, seconds: 4, bytes: 1 << 30},
		{name: "30000-pods-yaml", file: "dump.yaml", objects: func() sources.Objects { return shapes.PowerLaw(3000).Dump(10, 10) }, args: withoutFiles},
	}
}

func offlines() []benchmark {
	var list []benchmark
	for _, c := range offlineCases() {
		list = append(list, benchmark{
			name:    "offline/" + c.name,
			prepare: c.prepare,
			measure: func(dir, _ string) (fmt.Stringer, error) { return c.measure(dir, 3) },
		})
	}
	return list
}

// prepare builds the program and writes the input.
func (c offlineCase) prepare(dir string) error {
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "fsmc"), "github.com/flomesh-io/fsmc/cmd/fsmc")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build fsmc: %w: %s", err, text)
	}
	text := shapes.YAML
	if filepath.Ext(c.file) == ".json" {
		text = shapes.JSON
	}
	return os.WriteFile(filepath.Join(dir, c.file), text(c.objects()), 0o644)
}

// measure runs the program some times, each with a new folder to write to: ext4 is slow to make files for minutes after
// others were removed, as it looks at each that was. Where files are written there is an authority from the second run on,
// so that what is measured of certificates is issuing them.
func (c offlineCase) measure(dir string, runs int) (offlineRow, error) {
	r := offlineRow{Case: c.name, Objects: shapes.Count(c.objects()), AimSeconds: c.seconds, AimBytes: c.bytes}
	info, err := os.Stat(filepath.Join(dir, c.file))
	if err != nil {
		return r, err
	}
	r.Bytes = int(info.Size())
	out := ""
	for i := range runs {
		args := append([]string{"compile", c.file, "--fail-on", "never"}, c.args...)
		if c.args == nil {
			out = fmt.Sprintf("out%d", i+1)
			args = append(args, "-o", out, "--ca-dir", "ca")
		}
		r.Command = "fsmc " + strings.Join(args, " ")
		if err := r.run(dir, args); err != nil {
			return r, err
		}
	}
	r.Least = slices.Min(r.Seconds)
	return r, r.count(dir, out)
}

func (r *offlineRow) run(dir string, args []string) error {
	command := exec.Command(filepath.Join(dir, "fsmc"), args...)
	command.Dir = dir
	began := time.Now()
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %.500s", r.Command, err, text)
	}
	passed := time.Since(began).Seconds()
	seconds := (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()
	if len(r.Seconds) == 0 || seconds < slices.Min(r.Seconds) {
		r.Passed = passed
	}
	r.Seconds = append(r.Seconds, seconds)
	r.PeakBytes = max(r.PeakBytes, peakOf(command.ProcessState))
	return nil
}

// count counts what was written into a folder, if anything was.
func (r *offlineRow) count(dir, out string) error {
	if out == "" {
		return nil
	}
	return filepath.WalkDir(filepath.Join(dir, out), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		r.Files++
		r.Written += info.Size()
		return nil
	})
}

const offlineLegend = `The command line from a cold start. Seconds are CPU time of the whole process, the least of some runs.
`

func offlineHeader() string {
	return fmt.Sprintf("%-24s %8s %8s %7s %9s | %8s %8s %8s | %8s %8s", "case", "objects", "MB read", "files", "MB written", "CPU s", "passed s", "aim s", "MB peak", "aim MB")
}

func (r offlineRow) String() string {
	const mega = 1e6
	return fmt.Sprintf("%-24s %8d %8.1f %7d %9.1f | %8.2f %8.2f %8s | %8.0f %8s", r.Case, r.Objects, float64(r.Bytes)/mega, r.Files, float64(r.Written)/mega,
		r.Least, r.Passed, aim(r.AimSeconds), float64(r.PeakBytes)/mega, aim(float64(r.AimBytes)/mega))
}

// aim writes what is aimed at, if anything is.
func aim(value float64) string {
	if value == 0 {
		return ""
	}
	return fmt.Sprintf("< %.0f", value)
}
