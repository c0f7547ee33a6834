package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/model"
)

// newExplain makes `fsmc explain`.
func newExplain(w world) *cobra.Command {
	c := &cobra.Command{
		Use:     "explain [CODE]",
		Short:   "Say what a finding means, what was done instead, and how to mend it",
		Long:    "Explain prints the page of a code, such as FSM2006. Without a code, it lists all of them.",
		Example: "  fsmc explain FSM2006",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(c, "%s takes one code", c.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions(codeNames(), cobra.ShellCompDirectiveNoFileComp),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return listCodes(w)
		}
		return explain(w, args[0])
	}
	return c
}

func codeNames() []string {
	var names []string
	for _, code := range model.Codes() {
		names = append(names, string(code))
	}
	return names
}

func explain(w world, name string) error {
	code := model.Code(strings.ToUpper(name))
	page := code.Page()
	if page.Title == "" {
		return fmt.Errorf("there is no code %q%s\n'fsmc explain' lists all of them", name, didYouMean(string(code), codeNames()))
	}
	style := styleOf(w.out, w.getenv)
	text := fmt.Sprintf("%s (%s): %s\n\n%s\n", code, page.Level, style.bold(page.Title), strings.Join(wrap(page.Text, 100), "\n"))
	return say(w.out, text)
}

func listCodes(w world) error {
	var b strings.Builder
	for _, code := range model.Codes() {
		page := code.Page()
		fmt.Fprintf(&b, "%s  %s  %s\n", code, pad(string(page.Level), len("warning")), page.Title)
	}
	return say(w.out, b.String())
}

// say writes text, and says so if it cannot.
func say(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}
