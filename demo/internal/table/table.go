// Package table shows what the programs of the demo write into their journals: who calls whom, with what verdict, and how
// the sales spread over the bookstores.
package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

// A Table counts calls. The zero value is empty.
type Table struct {
	rows  map[row]*counts
	sales map[string]int
}

type row struct{ from, to, request string }

type counts struct {
	byVerdict map[calls.Verdict]int
	reason    string
}

// Add counts one call.
func (t *Table) Add(c calls.Call) {
	if t.rows == nil {
		t.rows, t.sales = map[row]*counts{}, map[string]int{}
	}
	key := row{c.From, strings.ReplaceAll(c.To, ".svc.cluster.local", ""), c.Request}
	n, ok := t.rows[key]
	if !ok {
		n = &counts{byVerdict: map[calls.Verdict]int{}}
		t.rows[key] = n
	}
	n.byVerdict[c.Verdict]++
	if c.Reason != "" {
		n.reason = c.Reason
	}
	if c.Verdict == calls.Allowed && c.Request == "GET /buy-a-book/new" && c.Server != "" {
		t.sales[c.Server]++
	}
}

// Text is the table as it stands, every line ended.
func (t *Table) Text() string {
	var b strings.Builder
	const layout = "  %-14s %-34s %-21s %8s %7s %8s  %s\n"
	fmt.Fprintf(&b, layout, "FROM", "TO", "REQUEST", "ALLOWED", "DENIED", "REFUSED", "WHY")
	for _, key := range t.sorted() {
		n := t.rows[key]
		fmt.Fprintf(&b, layout, key.from, key.to, key.request, count(n, calls.Allowed), count(n, calls.Denied), count(n, calls.Refused), why(n))
	}
	b.WriteString(t.shares())
	return b.String()
}

func (t *Table) sorted() []row {
	var keys []row
	for key := range t.rows {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.request, b.request))
	})
	return keys
}

func count(n *counts, v calls.Verdict) string {
	if n.byVerdict[v] == 0 {
		return "·"
	}
	return fmt.Sprint(n.byVerdict[v])
}

// why is the last reason of a row that has no allowed call, and how many failed for other reasons than policy.
func why(n *counts) string {
	switch failed := n.byVerdict[calls.Failed]; {
	case failed > 0:
		return fmt.Sprintf("%d failed: %s", failed, n.reason)
	case n.byVerdict[calls.Denied]+n.byVerdict[calls.Refused] > 0:
		return n.reason
	}
	return ""
}

// shares is a bar for each bookstore that sold something.
func (t *Table) shares() string {
	total := 0
	var servers []string
	for server, n := range t.sales {
		servers = append(servers, server)
		total += n
	}
	slices.Sort(servers)
	var b strings.Builder
	for i, server := range servers {
		const width = 40
		full := width * t.sales[server] / total
		title := ""
		if i == 0 {
			title = "who sells"
		}
		fmt.Fprintf(&b, "  %-14s %-16s %s%s %5.1f %%  of %d\n", title, server, strings.Repeat("█", full), strings.Repeat("░", width-full),
			100*float64(t.sales[server])/float64(total), total)
	}
	return b.String()
}
