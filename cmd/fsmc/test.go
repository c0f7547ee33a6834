package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/verdict"
)

// tolerance is how far, in percentage points, a backend's share of real requests may be off.
const tolerance = 10

// newTest makes `fsmc test`.
func newTest(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "test PATH...",
		Short: "Ask requests of the mesh that manifests describe, and compare the verdicts",
		Long: `Test runs manifests as a living mesh on this machine, as 'fsmc up' does, asks the requests of a case file from the pods
that it names, through their sidecars, and compares what comes back with what is wanted. docs/testing-policies.md says
how to write a case file.

Exit codes: 0 all requests were answered as wanted; 1 some were not; 2 the mesh could not be run, or the cases not read.`,
		Example: `  fsmc test manifests/ --cases access.yaml
  fsmc test manifests/ --cases tests/ --format junit > report.xml`,
		Args: somePaths,
	}
	command := &testCommand{up: &upCommand{
		w: w, input: addInput(c), tree: &treeFlags{certs: &choice{value: "tresor"}}, level: "warning",
		control: &controlFlags{logLevel: "error", logFormat: &choice{value: "text"}, holdOff: live.DefaultHoldOff},
	}}
	command.up.from = choose(c, "config-from", "how sidecars get their configuration: pushed, or from files", fromADS, fromDisk)
	c.Flags().StringVar(&command.cases, "cases", "", "the case `FILE`, or a folder with files named access.yaml (default: those in the paths)")
	command.engine = choose(c, "engine", "who answers: real sidecars on this machine", "envoy")
	command.format = choose(c, "format", "how to print the results", "text", "json", "junit")
	c.Flags().StringVar(&command.up.envoy, "envoy", "", "the Envoy `BINARY` (default: $FSMC_ENVOY, else envoy on PATH)")
	c.RunE = func(c *cobra.Command, args []string) error { return command.run(c, args) }
	return c
}

type testCommand struct {
	up     *upCommand
	cases  string
	engine *choice
	format *choice
}

func (command *testCommand) run(c *cobra.Command, paths []string) error {
	cases, err := readCases(command.cases, paths)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return usage(c, "there are no cases: name a file with --cases, or put an access.yaml beside the manifests")
	}
	command.up.name = fmt.Sprintf("test-%d", os.Getpid())
	var results []verdict.Result
	err = command.up.during(c, paths, func(ctx context.Context, r running) error {
		results = verdict.Run(ctx, r.mesh, directoryOf(r.plan), cases, tolerance)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if err := command.print(results); err != nil {
		return err
	}
	if verdict.Failed(results) > 0 {
		return errFindings
	}
	return nil
}

func (command *testCommand) print(results []verdict.Result) error {
	text, err := []byte(verdict.Text(results)), error(nil)
	switch command.format.value {
	case "json":
		text, err = verdict.JSON(results)
	case "junit":
		text, err = verdict.JUnit(results)
	}
	if err != nil {
		return err
	}
	return say(command.up.w.out, string(text))
}

// caseFile is the name of the files that hold cases.
const caseFile = "access.yaml"

// readCases reads the case file, or every access.yaml below the folder; without either, those below the paths.
func readCases(named string, paths []string) ([]verdict.Case, error) {
	places := paths
	if named != "" {
		places = []string{named}
	}
	var cases []verdict.Case
	for _, place := range places {
		found, err := caseFiles(place, named != "")
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read the cases: %w", err)
			}
			some, err := verdict.Parse(file, text)
			if err != nil {
				return nil, err
			}
			cases = append(cases, some...)
		}
	}
	return cases, nil
}

// caseFiles are the case files at a place. A file that was not named as one counts only by its name.
func caseFiles(place string, named bool) ([]string, error) {
	if place == "-" {
		return nil, nil
	}
	var found []string
	err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (filepath.Base(path) == caseFile || named && path == place) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for cases: %w", err)
	}
	return found, nil
}

// directoryOf is who can be asked in a mesh that runs.
func directoryOf(plan local.Plan) verdict.Directory {
	d := verdict.Directory{Names: map[string][]netip.Addr{}}
	for _, p := range plan.Pods {
		d.Pods = append(d.Pods, verdict.Pod{Namespace: p.Namespace, Name: p.Name, ServiceAccount: p.Identity.ServiceAccount})
	}
	for _, n := range plan.Names {
		d.Names[strings.TrimSuffix(n.Name, ".")] = n.Addresses
	}
	return d
}
