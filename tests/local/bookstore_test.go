//go:build linux

package local

import (
	"testing"

	"github.com/flomesh-io/fsmc/verdict"
)

const bookstore = "../../testdata/bookstore/split/input.yaml"

func TestBookstore(t *testing.T) {
	r := up(t, bookstore)
	r.askAll(t, []question{
		{name: "bookbuyer buys from version 1", from: "bookbuyer/bookbuyer-0", to: "bookstore-v1.bookstore:14001", request: get("/buy-a-book/new"), allowed: "bookstore-v1", status: 200},
		{name: "bookbuyer buys over HTTP/2", from: "bookbuyer/bookbuyer-0", to: "bookstore-v2.bookstore:14001", request: &verdict.Request{Protocol: "h2c", Method: "GET", Path: "/buy-a-book/new"}, allowed: "bookstore-v2", status: 200},
		{name: "bookbuyer may not restock", from: "bookbuyer/bookbuyer-0", to: "bookstore.bookstore:14001", request: &verdict.Request{Method: "POST", Path: "/buy-a-book/new"}, status: 403, reason: "rbac_access_denied"},
		{name: "bookbuyer may not look elsewhere", from: "bookbuyer/bookbuyer-0", to: "bookstore.bookstore:14001", request: get("/secrets"), status: 403, reason: "RBAC: access denied"},
		{name: "bookthief finds no bookstore", from: "bookthief/bookthief-0", to: "bookstore.bookstore:14001", request: get("/buy-a-book/new"), reason: "the connection was"},
		{name: "bookbuyer finds no bookwarehouse", from: "bookbuyer/bookbuyer-0", to: "bookwarehouse.bookwarehouse:14001", request: get("/"), reason: "filter_chain_not_found"},
		{name: "the bookstore restocks", from: "bookstore/bookstore-v1-0", to: "bookwarehouse.bookwarehouse:14001", request: &verdict.Request{Method: "POST", Path: "/", Body: 1 << 20}, allowed: "bookwarehouse", status: 200,
			check: func(t *testing.T, said verdict.Echo) {
				if said.Body != 1<<20 {
					t.Errorf("%d bytes of the body came through", said.Body)
				}
			}},
		{name: "bookwarehouse reaches its database", from: "bookwarehouse/bookwarehouse-0", to: "mysql.bookwarehouse:3306", allowed: "mysql"},
		{name: "bookwarehouse reaches its database by host name", from: "bookwarehouse/bookwarehouse-0", to: "mysql-0.mysql:3306", allowed: "mysql"},
		{name: "the bookstore does not reach the database", from: "bookstore/bookstore-v1-0", to: "mysql.bookwarehouse:3306", reason: "the connection was"},
	})
	t.Run("the split is half and half", func(t *testing.T) {
		counts := map[string]int{}
		for range 40 {
			counts[r.ask(t, "bookbuyer/bookbuyer-0", "bookstore.bookstore:14001", get("/buy-a-book/new")).Backend]++
		}
		if len(counts) != 2 || counts["bookstore-v1"] < 8 || counts["bookstore-v2"] < 8 {
			t.Errorf("40 requests went to %v", counts)
		}
	})
}
