package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// newPs makes `fsmc ps`.
func newPs(w world) *cobra.Command {
	command := &psCommand{w: w}
	c := &cobra.Command{
		Use:   "ps",
		Short: "Show the pods and sidecars of the mesh that 'fsmc up' runs",
		Long: `Ps asks every sidecar whether it is ready, and says how old the configuration is that it runs. The exit code is 1 when a
sidecar is not ready, or has ended.`,
		Example: `  fsmc ps
  fsmc ps --format json`,
		Args: noArguments,
	}
	addMeshName(c, &command.name)
	command.format = choose(c, "format", "how it is written to standard output", "text", "json")
	c.RunE = func(c *cobra.Command, _ []string) error { return command.run(c) }
	return c
}

type psCommand struct {
	w      world
	name   string
	format *choice
}

func (command *psCommand) run(c *cobra.Command) error {
	door, err := local.Open(command.name)
	if err != nil {
		return err
	}
	pods, err := door.Pods(c.Context())
	if err != nil {
		return err
	}
	if command.format.value == "json" {
		err = writeValue(command.w.out, "json", pods)
	} else {
		err = say(command.w.out, command.table(pods))
	}
	if err != nil {
		return err
	}
	for _, p := range pods {
		if p.Sidecar != local.NoSidecar && p.Sidecar != local.Ready {
			return errFindings
		}
	}
	return nil
}

func (command *psCommand) table(pods []local.Status) string {
	rows := [][]string{{"POD", "ADDRESSES", "PORTS", "APPLICATION", "SIDECAR", "CONFIGURED"}}
	for _, p := range pods {
		age := "-"
		if !p.Configured.IsZero() {
			age = command.w.now().Sub(p.Configured).Round(time.Second).String() + " ago"
		}
		sidecar := p.Sidecar
		switch sidecar {
		case local.Ready:
			sidecar = "✓ " + sidecar
		case local.NoSidecar:
		default:
			sidecar = "✗ " + sidecar
		}
		if p.Restarts > 0 {
			sidecar += ", " + plural(p.Restarts, "restart")
		}
		rows = append(rows, []string{p.Namespace + "/" + p.Pod, joined(p.Addresses), joined(p.Ports), p.Application, sidecar, age})
	}
	var b strings.Builder
	view{style: styleOf(command.w.out, command.w.getenv)}.table(&b, rows, 1)
	return b.String()
}

func joined[T any](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ",")
}
