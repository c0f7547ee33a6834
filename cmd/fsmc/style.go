package main

import (
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// style colours text for a terminal. The zero value leaves text as it is.
type style struct{ on bool }

// styleOf is coloured if what is written goes to a terminal and its user does not mind (https://no-color.org).
func styleOf(w io.Writer, getenv func(string) string) style {
	return style{on: isTerminal(w) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (s style) bold(text string) string   { return s.as("1", text) }
func (s style) dim(text string) string    { return s.as("2", text) }
func (s style) red(text string) string    { return s.as("1;31", text) }
func (s style) green(text string) string  { return s.as("32", text) }
func (s style) yellow(text string) string { return s.as("1;33", text) }
func (s style) blue(text string) string   { return s.as("1;34", text) }

func (s style) as(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// printable is the text without what could steer a terminal: names and lines come from files of others.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// oneLine is printable text without line breaks.
func oneLine(text string) string { return strings.ReplaceAll(printable(text), "\n", " ") }

// pad fills the text up with spaces to a width in columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// wrap breaks text between words into lines of at most the width, where that is possible.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
