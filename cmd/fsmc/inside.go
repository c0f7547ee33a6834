package main

import (
	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// newInside makes the command that the local mesh starts for itself.
func newInside() *cobra.Command {
	return &cobra.Command{
		Use:    local.InsideArgument,
		Short:  "The process that holds a local mesh, which starts it by itself",
		Hidden: true,
		Args:   noArguments,
		RunE:   func(*cobra.Command, []string) error { return local.Inside() },
	}
}
