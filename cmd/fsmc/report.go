package main

import (
	"fmt"
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

// text is all findings, and a line that sums them up; it is empty if there are none.
func (r report) text(diagnostics []model.Diagnostic) string {
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
	return b.String()
}

func (r report) finding(b *strings.Builder, d model.Diagnostic) {
	fmt.Fprintf(b, "%s: %s\n", r.level(d)(string(d.Level)+"["+string(d.Code)+"]"), r.style.bold(oneLine(d.Message)))
	margin := r.place(b, d)
	note := func(label, text string) {
		if text != "" {
			fmt.Fprintf(b, "%s%s %s\n", margin, r.style.blue("="), label+oneLine(text))
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
	fmt.Fprintf(b, "%s%s %s\n", margin[1:], r.style.blue("-->"), oneLine(position(at)))
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
	runes := []rune(strings.ReplaceAll(oneLine(strings.TrimRight(text, "\r\n")), "\t", " "))
	at := min(max(column-1, 0), len(runes))
	from, to := 0, len(runes)
	if to > excerptWidth {
		from = max(0, min(at-excerptWidth/3, to-excerptWidth))
		to = from + excerptWidth
	}
	before, after := "", ""
	if from > 0 {
		before = "…"
	}
	if to < len(runes) {
		after = "…"
	}
	line = before + string(runes[from:to]) + after
	if column == 0 {
		return line, ""
	}
	indent := utf8.RuneCountInString(before) + at - from
	return line, strings.Repeat(" ", indent) + strings.Repeat("^", markLength(string(runes[:at]), string(runes[at:to])))
}

// markLength is the length of the value that a text begins with: it ends at a comment or with the line, and in brackets
// at the next comma or bracket.
func markLength(before, text string) int {
	text, _, _ = strings.Cut(text, " #")
	if strings.Count(before, "{")+strings.Count(before, "[") > strings.Count(before, "}")+strings.Count(before, "]") {
		if end := strings.IndexAny(text, ",]}"); end >= 0 {
			text = text[:end]
		}
	}
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
	case strings.HasSuffix(thing, "s"), strings.HasSuffix(thing, "ch"):
		thing += "es"
	default:
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
