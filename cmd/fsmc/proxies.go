package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// proxyTable shows a line for each class of proxies, by namespace: they share identity, services and configuration.
func (v view) proxyTable(b *strings.Builder) {
	v.section(b, "PROXIES", "")
	if v.Output.Classes.Len() == 0 {
		b.WriteString("  none: no pod of the mesh has a sidecar, or would get one\n")
		return
	}
	rows := [][]string{{"PROXY", "IDENTITY~CLASS", "SERVES", v.envoyTitle()}}
	namespace := ""
	for class := range v.Output.Classes.Values() {
		if class.Identity.Namespace != namespace {
			namespace = class.Identity.Namespace
			rows = append(rows, []string{namespace, "", "", ""})
		}
		rows = append(rows, v.proxyRow(class))
	}
	v.table(b, rows, 2)
	v.refusals(b)
}

func (v view) envoyTitle() string {
	if v.verdicts == nil {
		return ""
	}
	return "ENVOY"
}

func (v view) proxyRow(class *compiler.Class) []string {
	first := class.Proxies.At(0)
	name := "  " + first.Name
	if more := class.Proxies.Len() - 1; more > 0 {
		name += fmt.Sprintf(" +%d", more)
	}
	serves := "-"
	if proxy, ok := v.Mesh.Proxy(first); ok && proxy.Members.Len() > 0 {
		serves = strings.Join(doorNames(slices.Collect(proxy.Members.Values())), ", ")
	}
	return []string{name, strings.TrimPrefix(class.Name, class.Identity.Namespace+"/"), serves, v.verdict(class)}
}

// verdict is what Envoy said of the proxies of a class.
func (v view) verdict(class *compiler.Class) string {
	refused := 0
	for id := range class.Proxies.Values() {
		if v.verdicts[id] != nil {
			refused++
		}
	}
	switch {
	case v.verdicts == nil:
		return ""
	case refused == 0:
		return "✓"
	}
	return "✗"
}

// refusals are Envoy's own words, where it had any.
func (v view) refusals(b *strings.Builder) {
	for proxy := range v.Mesh.Proxies() {
		if verdict := v.verdicts[proxy.ID]; verdict != nil {
			fmt.Fprintf(b, "\n  %s %s is refused by Envoy:\n", v.style.red("✗"), v.style.bold(oneLine(proxy.ID.String())))
			for _, line := range wrap(printable(verdict.Error()), width-4) {
				b.WriteString("    " + line + "\n")
			}
		}
	}
}

// doorNames are the services and ports that members are called by, without the namespace, which is the pod's own. The
// protocol is added where it is not HTTP.
func doorNames(members []model.Member) []string {
	sorted := slices.SortedFunc(slices.Values(members), func(a, b model.Member) int { return a.ServicePort.Compare(b.ServicePort) })
	var names []string
	for _, m := range sorted {
		name := fmt.Sprintf("%s:%d", m.ServicePort.Service.Name, m.ServicePort.Port)
		if !m.Protocol.IsHTTP() {
			name += "/" + string(m.Protocol)
		}
		names = append(names, name)
	}
	return slices.Compact(names)
}

// table writes rows in columns, the first as the title. The given column is wrapped to what the others leave of the
// width.
func (v view) table(b *strings.Builder, rows [][]string, wrapped int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	others := 2 * len(widths)
	for i, n := range widths {
		if i != wrapped {
			others += n
		}
	}
	widths[wrapped] = min(widths[wrapped], max(width-others, 20))
	for n, row := range rows {
		for i, line := range wrap(row[wrapped], widths[wrapped]) {
			v.tableLine(b, row, widths, wrapped, n, i, line)
		}
	}
}

// tableLine writes one line of a row: all its cells on the first line, and only what is wrapped on the others.
func (v view) tableLine(b *strings.Builder, row []string, widths []int, wrapped, n, i int, line string) {
	text := ""
	for column, cell := range row {
		switch {
		case column == wrapped:
			cell = line
		case i > 0:
			cell = ""
		}
		text += "  " + v.cell(n, column, pad(oneLine(cell), widths[column]))
	}
	b.WriteString(strings.TrimRight(text, " ") + "\n")
}

func (v view) cell(row, column int, text string) string {
	switch {
	case row == 0:
		return v.style.dim(text)
	case column == 0:
		return v.style.bold(text)
	case strings.HasPrefix(text, "✓"):
		return v.style.green(text)
	case strings.HasPrefix(text, "✗"):
		return v.style.red(text)
	}
	return text
}
