package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/flomesh-io/fsmc/model"
)

// report tells a person what was found, with the line of the file that each finding is about:
//
//	error[FSM2006]: HTTPRouteGroup shop/routes does not exist
//	  --> shop/policy.yaml:14:11
//	   |
//	14 |     - name: routes
//	   |             ^^^^^^
//	   = instead: the rule admits nothing
//	   = fix: write the group, or correct the name
type report struct {
	style style
	// line finds the text of a line of a file.
	line func(file string, line int) (string, bool)
	// verbose shows findings of level info too; otherwise they are only counted.
	verbose bool
}

// write writes all findings and a line that sums them up; nothing if there are none.
func (r report) write(w io.Writer, diagnostics []model.Diagnostic) error {
	var b strings.Builder
	hidden := false
	for _, d := range diagnostics {
		if d.Level == model.Info && !r.verbose {
			hidden = true
			continue
		}
		r.finding(&b, d)
	}
	if len(diagnostics) > 0 {
		b.WriteString(summary(diagnostics))
		if hidden {
			b.WriteString(r.style.dim(" (-v shows the notes)"))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r report) finding(b *strings.Builder, d model.Diagnostic) {
	fmt.Fprintf(b, "%s: %s\n", r.level(d)(string(d.Level)+"["+string(d.Code)+"]"), r.style.bold(printable(d.Message)))
	margin := r.place(b, d)
	note := func(label, text string) {
		if text != "" {
			fmt.Fprintf(b, "%s %s %s\n", margin, r.style.blue("="), label+printable(text))
		}
	}
	if d.At != (model.Ref{}) {
		note("in ", d.At.String())
	}
	note("instead: ", d.Instead)
	note("fix: ", d.Fix)
	b.WriteString("\n")
}

// level is the colour of a finding's level.
func (r report) level(d model.Diagnostic) func(string) string {
	switch d.Level {
	case model.Warning:
		return r.style.yellow
	case model.Info:
		return r.style.blue
	}
	return r.style.red
}

// place writes where the finding is, with the line of the file, and returns the margin for what follows.
func (r report) place(b *strings.Builder, d model.Diagnostic) (margin string) {
	at := d.Position
	if at.File == "" {
		return "  "
	}
	number := fmt.Sprint(at.Line)
	margin = strings.Repeat(" ", len(number)+1)
	fmt.Fprintf(b, "%s%s %s\n", margin[1:], r.style.blue("-->"), printable(position(at)))
	text, ok := r.line(at.File, at.Line)
	if !ok {
		return margin
	}
	line, mark := excerpt(text, at.Column)
	bar := r.style.blue("|")
	fmt.Fprintf(b, "%s%s\n%s %s %s\n", margin, bar, r.style.blue(number), bar, line)
	if mark != "" {
		fmt.Fprintf(b, "%s%s %s\n", margin, bar, r.level(d)(mark))
	}
	return margin
}

// position is <file>:<line>:<column>, as far as it is known.
func position(p model.Position) string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// excerptWidth is how much of a long line is shown.
const excerptWidth = 90

// excerpt is the part of a line around a column, and a line of carets that goes below it. The carets reach from the
// column to the end of what is written there.
func excerpt(text string, column int) (line, mark string) {
	runes := []rune(strings.ReplaceAll(printable(strings.TrimRight(text, "\r\n")), "\t", " "))
	at := min(max(column-1, 0), len(runes))
	from, to := 0, len(runes)
	if to > excerptWidth {
		from = max(0, min(at-excerptWidth/3, to-excerptWidth))
		to = from + excerptWidth
	}
	line = string(runes[from:to])
	if from > 0 {
		line = "…" + line
		at++
	}
	if to < len(runes) {
		line += "…"
	}
	if column == 0 {
		return line, ""
	}
	return line, strings.Repeat(" ", at-from) + strings.Repeat("^", markLength(string(runes[min(at, to):to])))
}

// markLength is the length of the value that a text begins with: up to a comment, or the end.
func markLength(text string) int {
	text, _, _ = strings.Cut(text, " #")
	return max(1, utf8.RuneCountInString(strings.TrimRight(text, " ")))
}

// summary counts findings by level.
func summary(diagnostics []model.Diagnostic) string {
	counts := map[model.Level]int{}
	for _, d := range diagnostics {
		counts[d.Level]++
	}
	var parts []string
	for _, level := range []struct {
		is   model.Level
		name string
	}{{model.Error, "error"}, {model.Warning, "warning"}, {model.Info, "note"}} {
		if n := counts[level.is]; n > 0 {
			parts = append(parts, plural(n, level.name))
		}
	}
	return strings.Join(parts, ", ")
}

// plural is a count of things.
func plural(n int, thing string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(thing, "y"):
		thing = strings.TrimSuffix(thing, "y") + "ies"
	case strings.HasSuffix(thing, "s"):
		thing += "es"
	default:
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
