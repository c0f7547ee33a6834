package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
	"github.com/flomesh-io/fsmc/demo/internal/table"
)

// tableProgram shows what the other programs write into their journals (--log json), as it is written. On a terminal the
// table is drawn again in its place; elsewhere it is printed now and then, and a second after each note.
func tableProgram(ctx context.Context, name string, args []string, w world) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(w.err)
	folder := flags.String("journals", "", "the folder that the journals are below")
	notes := flags.String("notes", "", "a file whose lines say what happens meanwhile, shown below the table")
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
	d := display{out: w.out, terminal: isTerminal(w.out), notes: *notes}
	return d.follow(ctx, *folder)
}

// display is a table that is shown while it changes.
type display struct {
	out      io.Writer
	terminal bool
	notes    string
	table    table.Table
	// above is how many lines were drawn; noted are the notes that were shown, and drawn is when.
	above        int
	noted        string
	drawn, asked time.Time
}

func (d *display) follow(ctx context.Context, folder string) error {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	follower := table.Follow(folder)
	d.drawn = time.Now()
	for more := true; more; {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			more = false
		}
		now := time.Now()
		if err := follower.Read(func(c calls.Call) { d.table.Add(c, now) }); err != nil {
			return err
		}
		if more && !d.due(now) {
			continue
		}
		if err := d.draw(now); err != nil {
			return err
		}
	}
	return nil
}

// due says whether it is time to draw.
func (d *display) due(now time.Time) bool {
	const redraw, reprint, follows = 300 * time.Millisecond, 7 * time.Second, time.Second
	if d.terminal {
		return now.Sub(d.drawn) >= redraw
	}
	if d.asked.IsZero() && d.lines() != d.noted {
		d.asked = now
	}
	return now.Sub(d.drawn) >= reprint || !d.asked.IsZero() && now.Sub(d.asked) >= follows
}

// lines are the notes as they stand.
func (d *display) lines() string {
	if d.notes == "" {
		return ""
	}
	text, err := os.ReadFile(d.notes) // #nosec G304 -- the file is the user's own choice
	if err != nil {
		return ""
	}
	return string(text)
}

func (d *display) draw(now time.Time) error {
	notes := d.lines()
	text := d.table.Text(now)
	for line := range strings.Lines(notes) {
		text += "  ▸ " + strings.TrimRight(line, "\n") + "\n"
	}
	above := strings.Count(text, "\n")
	if d.terminal && d.above > 0 {
		text = fmt.Sprintf("\x1b[%dA\x1b[J%s", d.above, text)
	}
	if !d.terminal {
		text += "\n"
	}
	d.above, d.noted, d.drawn, d.asked = above, notes, now, time.Time{}
	_, err := io.WriteString(d.out, text)
	return err
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
