package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// newVersion makes `fsmc version`.
func newVersion(w world) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which version of fsmc this is",
		Example: "  fsmc version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			return say(w.out, fmt.Sprintf("fsmc %s, for Envoy %s (%s, %s/%s)\n", version, envoyRelease, runtime.Version(), runtime.GOOS, runtime.GOARCH))
		},
	}
}

// envoyRelease is the Envoy whose configuration is written.
const envoyRelease = "1.40"
