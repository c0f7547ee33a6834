package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// newExec makes `fsmc exec`.
func newExec(w world) *cobra.Command {
	command := &execCommand{w: w}
	c := &cobra.Command{
		Use:   "exec NAMESPACE/POD -- COMMAND...",
		Short: "Run a command in a pod of the mesh that 'fsmc up' runs",
		Long: `Exec runs a command as an application of the pod would run: in its network, with its host name, and with the names of
services. Files are those of this machine. The exit code is the command's, and 2 when there is no such pod or mesh.`,
		Example: `  fsmc exec bookbuyer/bookbuyer-0 -- curl -i bookstore.bookstore:14001/buy-a-book/new

  # the administration of the sidecar
  fsmc exec bookbuyer/bookbuyer-0 -- curl -s localhost:15000/clusters`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 || strings.Count(args[0], "/") != 1 {
				return usage(c, "%s needs a pod, as NAMESPACE/POD, and a command", c.CommandPath())
			}
			return nil
		},
	}
	c.Flags().SetInterspersed(false) // What follows the pod is the command's.
	addMeshName(c, &command.name)
	c.RunE = func(c *cobra.Command, args []string) error {
		if args[1] == "--" {
			args = append(args[:1], args[2:]...)
		}
		if len(args) < 2 {
			return usage(c, "%s needs a command", c.CommandPath())
		}
		return command.run(c.Context(), args[0], args[1:])
	}
	return c
}

type execCommand struct {
	w    world
	name string
}

// exitStatus ends this program with the exit code of another.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit code %d", int(s)) }

func (command *execCommand) run(ctx context.Context, pod string, arguments []string) error {
	door, err := local.Open(command.name)
	if err != nil {
		return err
	}
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	// Signals are for the command, and the end of the command is the end of this one.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	namespace, name, _ := strings.Cut(pod, "/")
	execution := local.Execution{Namespace: namespace, Pod: name, Arguments: arguments, Environment: os.Environ(), Folder: folder}
	files := [3]*os.File{fileOf(command.w.in, os.Stdin), fileOf(command.w.out, os.Stdout), fileOf(command.w.err, os.Stderr)}
	code, err := door.Execute(context.WithoutCancel(ctx), execution, files, signals)
	if err != nil {
		return err
	}
	if code != 0 {
		return exitStatus(code)
	}
	return nil
}

// fileOf is the file that a stream is, for a command needs one.
func fileOf(stream any, otherwise *os.File) *os.File {
	if f, ok := stream.(*os.File); ok {
		return f
	}
	return otherwise
}
