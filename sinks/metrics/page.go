package metrics

import (
	"fmt"
	"slices"
	"strings"
)

// Page is docs/reference/metrics.md: the table of all metrics, in Markdown.
func Page() string {
	var b strings.Builder
	b.WriteString(head)
	for _, f := range families() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, f.kind, f.labelList(), f.help)
	}
	b.WriteString("\n## Labels\n\n| label | of | values |\n|---|---|---|\n")
	for _, row := range labelRows() {
		b.WriteString(row)
	}
	fmt.Fprintf(&b, buckets, strings.Trim(fmt.Sprint(bounds), "[]"))
	for _, f := range families() {
		if f.was != "" {
			fmt.Fprintf(&b, "| `%s` | `%s` |\n", f.was, f.name)
		}
	}
	return b.String()
}

const head = "<!-- Generated from the code by `make codegen`. -->\n\n" + `# Metrics

The control plane's own metrics, for Prometheus: ` + "`/metrics`" + ` on port 9091. Beside these there are the usual ones of a Go program
(` + "`go_…`, `process_…`" + `). Series are there from the start, with the value 0, unless the table
says otherwise.

No label has a value that comes from outside: what a table below does not list is counted as ` + "`other`" + `. Proxies are never labels;
ask the debug server about one.

| metric | kind | labels | meaning |
|---|---|---|---|
`

const buckets = `
The buckets of all histograms end at %s seconds.

## Coming from OSM or FSM

Prometheus wants units and ` + "`_total`" + ` in names and keeps ` + "`_count`" + ` for histograms, so that not every old name could stay.

| before | now |
|---|---|
`

func (f family) labelList() string {
	names := f.labelNames()
	for i := range names {
		names[i] = "`" + names[i] + "`"
	}
	return strings.Join(names, ", ")
}

// labelRows say which values the labels take, once for families that have the same.
func labelRows() []string {
	var rows []string
	for _, f := range families() {
		for _, l := range f.labels {
			values := "its own"
			if l.values != nil {
				values = "`" + strings.Join(l.values, "`, `") + "`"
			}
			row := fmt.Sprintf("| `%s` | %s | %s |\n", l.name, ownersOf(l), values)
			if !slices.Contains(rows, row) {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// ownersOf are the metrics that have the label with the same values.
func ownersOf(l label) string {
	var owners []string
	for _, f := range families() {
		if slices.ContainsFunc(f.labels, func(m label) bool { return m.name == l.name && slices.Equal(m.values, l.values) }) {
			owners = append(owners, "`"+f.name+"`")
		}
	}
	return strings.Join(owners, ", ")
}
