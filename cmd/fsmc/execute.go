package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit codes, the same for every command.
const (
	exitDone     = 0
	exitFindings = 1 // There are findings at or above --fail-on. What was asked for was done.
	exitFailed   = 2 // The job could not be done, and nothing was written.
)

// world is what a command meets outside, besides files.
type world struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	now      func() time.Time
	// spare is how many bytes of memory the world has for commands that can trade it for time.
	spare int
}

// execute runs a command line and returns its exit code.
func execute(ctx context.Context, args []string, w world) int {
	root := newRoot(w)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var status exitStatus
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, errFindings):
		return exitFindings
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; nothing was changed")
	}
	style := styleOf(w.err, w.getenv)
	_, _ = fmt.Fprintf(w.err, "%s %s\n", style.red("fsmc:"), printable(err.Error()))
	return exitFailed
}

// errFindings ends a command that did its job and found something bad enough. It has been told already.
var errFindings = errors.New("there are findings")

// newRoot makes the whole tree of commands.
func newRoot(w world) *cobra.Command {
	root := &cobra.Command{
		Use:   "fsmc",
		Short: "A service mesh whose control plane is a pure function",
		Long: `fsmc reads Kubernetes and SMI manifests and says what each Envoy of the mesh must do. It needs no cluster.

Exit codes, of every command: 0 done; 1 done, with findings at or above --fail-on; 2 the job could not be done, and
nothing was written.`,
		Args:          unknownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(w.in)
	root.SetOut(w.out)
	root.SetErr(w.err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newCompile(w), newShow(w), newServe(w), newUp(w), newTest(w), newExec(w), newPs(w), newExplain(w), newVersion(w), newDocs(w), newInside())
	return root
}

// usage is an error in how a command was called. It says where to read on.
func usage(c *cobra.Command, format string, args ...any) error {
	return fmt.Errorf("%s\nSee '%s --help'", fmt.Sprintf(format, args...), c.CommandPath())
}

func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, command := range c.Commands() {
		if !command.Hidden {
			names = append(names, command.Name())
		}
	}
	return usage(c, "there is no command %q%s", args[0], didYouMean(args[0], names))
}

// flagError adds the flag that was perhaps meant.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usage(c, "%s", err)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	hint := didYouMean(unknown.GetSpecifiedName(), names)
	return usage(c, "%s%s", err, strings.Replace(hint, `mean "`, `mean "--`, 1))
}

// somePaths wants at least one path.
func somePaths(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage(c, "%s needs a file, a folder, or - for standard input", c.CommandPath())
	}
	return nil
}

// noArguments wants none.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, "%s takes no arguments, and got %q", c.CommandPath(), args[0])
	}
	return nil
}
