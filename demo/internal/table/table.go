// Package table shows what the programs of the demo write into their journals: who calls whom, with what verdict, and how
// the sales spread over the bookstores.
package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

// Now is how long what happens counts as now.
const Now = time.Second

// A Table counts calls: all of them, and which of them are of now. The zero value is empty.
type Table struct {
	rows map[row]*counts
	// recent are the calls of the last while, the oldest first.
	recent []recent
}

type recent struct {
	at   time.Time
	key  row
	call calls.Call
}

type row struct{ from, to, request string }

type counts struct {
	byVerdict map[calls.Verdict]int
	reason    string
}

// Add counts one call that was heard of at a time.
func (t *Table) Add(c calls.Call, at time.Time) {
	if t.rows == nil {
		t.rows = map[row]*counts{}
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
	t.recent = append(t.recent, recent{at, key, c})
}

// Text is the table as it stands at a time, every line ended.
func (t *Table) Text(at time.Time) string {
	t.recent = slices.DeleteFunc(t.recent, func(r recent) bool { return at.Sub(r.at) > Now })
	var b strings.Builder
	const layout = "  %-14s %-34s %-21s %8s %7s %8s  %-8s  %s\n"
	fmt.Fprintf(&b, layout, "FROM", "TO", "REQUEST", "ALLOWED", "DENIED", "REFUSED", "NOW", "WHY")
	for _, key := range t.sorted() {
		n := t.rows[key]
		fmt.Fprintf(&b, layout, key.from, key.to, key.request, count(n, calls.Allowed), count(n, calls.Denied), count(n, calls.Refused), t.now(key), why(n))
	}
	b.WriteString(t.shares())
	return b.String()
}

// now is the verdict on the newest call of a row, if there was one just now.
func (t *Table) now(key row) string {
	for _, r := range slices.Backward(t.recent) {
		if r.key == key {
			return string(r.call.Verdict)
		}
	}
	return "·"
}

// sales are the books that each bookstore sold just now.
func (t *Table) sales() map[string]int {
	sales := map[string]int{}
	for _, r := range t.recent {
		if c := r.call; c.Verdict == calls.Allowed && c.Request == "GET /buy-a-book/new" && c.Server != "" {
			sales[c.Server]++
		}
	}
	return sales
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

// shares is a bar for each bookstore that sold something just now.
func (t *Table) shares() string {
	total, sales := 0, t.sales()
	var servers []string
	for server, n := range sales {
		servers = append(servers, server)
		total += n
	}
	slices.Sort(servers)
	var b strings.Builder
	for i, server := range servers {
		const width = 40
		full := width * sales[server] / total
		title := ""
		if i == 0 {
			title = "who sells now"
		}
		fmt.Fprintf(&b, "  %-14s %-16s %s%s %5.1f %%  of %d\n", title, server, strings.Repeat("█", full), strings.Repeat("░", width-full),
			100*float64(sales[server])/float64(total), total)
	}
	return b.String()
}
