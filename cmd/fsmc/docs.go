package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/model"
)

//go:generate go run . docs ../../docs/reference

// newDocs makes `fsmc docs`, which writes the generated pages of the documentation.
func newDocs(w world) *cobra.Command {
	return &cobra.Command{
		Use:    "docs DIR",
		Short:  "Write the reference pages that are generated from this program",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			for name, text := range referencePages(w) {
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(text), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// referencePages are the generated pages, by file name.
func referencePages(w world) map[string]string {
	return map[string]string{"cli.md": cliPage(newRoot(w)), "diagnostics.md": diagnosticsPage(), "proxy-metrics.md": statisticsPage()}
}

const generated = "<!-- Generated from the code by `make codegen`. -->\n\n"

// cliPage is the reference of all commands.
func cliPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(generated + "# The command line\n\n" + markdown.Replace(root.Long) + "\n")
	for _, c := range root.Commands() {
		if c.Hidden {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n    %s\n", c.CommandPath(), withFullStop(c.Short), c.UseLine())
		if c.Long != "" {
			fmt.Fprintf(&b, "\n%s\n", markdown.Replace(c.Long))
		}
		if flags := c.LocalFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(&b, "\n```text\n%s```\n", flags)
		}
		if c.Example != "" {
			fmt.Fprintf(&b, "\n```sh\n%s\n```\n", unindent(c.Example))
		}
	}
	return b.String()
}

func withFullStop(text string) string { return strings.TrimSuffix(text, ".") + "." }

func unindent(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}

// diagnosticsPage is the reference of all codes.
func diagnosticsPage() string {
	var b strings.Builder
	b.WriteString(generated + "# Diagnostics\n\n" +
		"What fsmc finds in manifests. A code is stable: it is never reused. `fsmc explain CODE` prints the same.\n\n" +
		"| code | level | finding |\n|---|---|---|\n")
	for _, code := range model.Codes() {
		page := code.Page()
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", code, strings.ToLower(string(code)), page.Level, page.Title)
	}
	for _, code := range model.Codes() {
		page := code.Page()
		fmt.Fprintf(&b, "\n## %s\n\n**%s** (%s)\n\n%s\n", code, page.Title, page.Level, markdown.Replace(page.Text))
	}
	return b.String()
}

// markdown keeps Markdown from reading plain text as anything else.
var markdown = strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "`", "\\`", "<", "&lt;", "|", "\\|")
