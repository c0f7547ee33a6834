package table

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

func TestTable(t *testing.T) {
	folder := t.TempDir()
	journal := filepath.Join(folder, "bookbuyer.log")
	write := func(text string) {
		f, err := os.OpenFile(journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	var table Table
	follower := Follow(folder)
	began := time.Now()
	read := func() {
		if err := follower.Read(func(c calls.Call) { table.Add(c, began) }); err != nil {
			t.Fatal(err)
		}
	}
	read()
	write(`{"from":"bookbuyer","to":"bookstore.bookstore.svc.cluster.local:14001","request":"GET /buy-a-book/new","verdict":"allowed","server":"bookstore-v1"}
not a call
{"from":"bookbuyer","to":"bookstore.bookstore.svc.cluster.local:14001","request":"GET /buy-a-book/new","verdict":"allowed","server":"book`)
	read()
	write("store-v2\"}\n" + `{"from":"bookthief","to":"bookstore.bookstore.svc.cluster.local:14001","request":"GET /buy-a-book/new","verdict":"refused","reason":"connection refused"}` + "\n")
	read()
	text := table.Text(began)
	for _, want := range []string{
		"bookbuyer      bookstore.bookstore:14001          GET /buy-a-book/new          2       ·        ·  allowed",
		"bookthief      bookstore.bookstore:14001          GET /buy-a-book/new          ·       ·        1  refused   connection refused",
		"bookstore-v1     ████████████████████░░░░░░░░░░░░░░░░░░░░  50.0 %  of 2",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	later := table.Text(began.Add(Now + time.Millisecond))
	if strings.Contains(later, "who sells") || !strings.Contains(later, "2       ·        ·  ·") {
		t.Errorf("what is over counts as now:\n%s", later)
	}
	if empty := (&Table{}).Text(began); strings.Count(empty, "\n") != 1 {
		t.Errorf("an empty table: %q", empty)
	}
}
