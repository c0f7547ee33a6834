package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/table"
)

// tableProgram shows what the other programs write into their journals (--log json), as it is written. On a terminal the
// table is drawn again in its place; elsewhere it is printed now and then.
func tableProgram(ctx context.Context, name string, args []string, w world) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(w.err)
	folder := flags.String("journals", "", "the folder that the journals are below")
	duration := flags.Duration("for", 0, "end after this long (default: when interrupted)")
	if err := flags.Parse(args); err != nil {
		return usageError{err}
	}
	if *folder == "" {
		return usageError{fmt.Errorf("--journals names the folder of the journals")}
	}
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	return follow(ctx, *folder, w.out)
}

func follow(ctx context.Context, folder string, out io.Writer) error {
	const redraw, reprint = 500 * time.Millisecond, 7 * time.Second
	interval, terminal := reprint, isTerminal(out)
	if terminal {
		interval = redraw
	}
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	var t table.Table
	follower, above := table.Follow(folder), 0
	for more := true; more; {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			more = false
		}
		if err := follower.Read(t.Add); err != nil {
			return err
		}
		text := t.Text()
		if terminal && above > 0 {
			text = fmt.Sprintf("\x1b[%dA\x1b[J%s", above, text)
		}
		above = strings.Count(t.Text(), "\n")
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
	}
	return nil
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
