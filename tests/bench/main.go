// Command bench measures fsmc: compiling generated meshes against a floor, small changes against compiling from scratch,
// serving thousands of proxies against a server that only sends bytes, sidecars against an Envoy that was configured by hand, and
// the command line from a cold start.
//
// Ratios are what to look at: what is compared runs in turn on one machine, so that whatever disturbs the machine disturbs
// both. Each row of a table is a process of its own, so that its memory and its CPU time are its own.
//
//	go run ./tests/bench                          everything
//	go run ./tests/bench -list                    the names of all benchmarks
//	go run ./tests/bench -run compile/power-law   those whose name fits
//	go run ./tests/bench -keep 2026-11-26         and keep the figures in bench/results, with this date
//	go run ./tests/bench -profile DIR             and leave CPU and allocation profiles there
//	go run ./tests/bench -page FILE               write the page of what is kept in bench/results
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

//go:generate go run . -results ../../bench/results -page ../../docs/performance.md

// podsPerApp is how many pods each Deployment has.
const podsPerApp = 10

// options are the flags.
type options struct {
	run, keep, note, profiles, results, page, child string
	list                                            bool
}

func main() {
	var o options
	flag.StringVar(&o.run, "run", ".", "run the benchmarks whose name matches this `expression`")
	flag.BoolVar(&o.list, "list", false, "list the benchmarks that -run chooses, and run none")
	flag.StringVar(&o.keep, "keep", "", "keep the figures, with this `date`, in the folder of -results")
	flag.StringVar(&o.note, "note", "", "keep this `text` with the figures")
	flag.StringVar(&o.results, "results", "bench/results", "the `folder` of results")
	flag.StringVar(&o.profiles, "profile", "", "write profiles to this `folder` too")
	flag.StringVar(&o.page, "page", "", "run nothing, and write the page of the results to this `file`")
	flag.StringVar(&o.child, "child", "", "measure one benchmark in this process (used by bench itself)")
	flag.Parse()
	if err := o.do(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o options) do(out io.Writer) error {
	switch {
	case o.page != "":
		return writePage(o.results, o.page)
	case children()[o.child] != nil:
		return children()[o.child](os.Stdin, out)
	case o.child != "":
		return o.measure(out)
	}
	families, err := chosen(o.run)
	if err != nil {
		return err
	}
	for _, f := range families {
		if err := o.table(out, f); err != nil {
			return err
		}
	}
	return nil
}

// benchmark is one row of a family's table.
type benchmark struct {
	// name is family/shape/size or alike.
	name string
	// prepare, unless nil, makes the files that measure reads, in another process.
	prepare func(dir string) error
	measure func(dir, profiles string) (fmt.Stringer, error)
}

// family is benchmarks with one table and one file of results.
type family struct {
	name    string
	legend  string
	header  string
	members []benchmark
	// show writes the JSON of a row as a line of the table.
	show func(json.RawMessage) (string, error)
}

// shown decodes a row of a type and writes it.
func shown[T fmt.Stringer](text json.RawMessage) (string, error) {
	var row T
	if err := json.Unmarshal(text, &row); err != nil {
		return "", err
	}
	return row.String(), nil
}

// chosen are the families with the benchmarks whose name matches.
func chosen(run string) ([]family, error) {
	expression, err := regexp.Compile(run)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var list []family
	for _, f := range families() {
		var members []benchmark
		for _, b := range f.members {
			if expression.MatchString(b.name) {
				members = append(members, b)
			}
		}
		if f.members = members; len(members) > 0 {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("-run: no benchmark is named like %s", run)
	}
	return list, nil
}

// table runs a family, and keeps its rows if that is asked for.
func (o options) table(out io.Writer, f family) error {
	if o.list {
		for _, b := range f.members {
			if _, err := fmt.Fprintln(out, b.name); err != nil {
				return err
			}
		}
		return nil
	}
	if _, err := fmt.Fprintf(out, "\n%s\n%s\n", f.legend, f.header); err != nil {
		return err
	}
	var rows []json.RawMessage
	for _, b := range f.members {
		row, err := o.apart(b)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		line, err := f.show(row)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if o.keep == "" {
		return nil
	}
	return keep(o.results, f.name, result{Date: o.keep, Note: o.note, Command: strings.Join(o.command(), " "), Rows: rows})
}

// command is how this run can be had again.
func (o options) command() []string {
	if o.run == "." {
		return []string{"make", "bench"}
	}
	return []string{"make", "bench", "BENCH=" + o.run}
}

// apart runs a benchmark in a process of its own.
func (o options) apart(b benchmark) (json.RawMessage, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if b.prepare != nil {
		if err := b.prepare(dir); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, "-child", b.name, "-profile", o.profiles, dir)
	command.Stderr = os.Stderr
	return command.Output()
}

// measure is the process of one row.
func (o options) measure(out io.Writer) error {
	list, err := chosen("^" + regexp.QuoteMeta(o.child) + "$")
	if err != nil {
		return err
	}
	row, err := list[0].members[0].measure(flag.Arg(0), o.profiles)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(row)
}
