package sources

import (
	"testing"

	"github.com/flomesh-io/fsmc/model"
)

func TestSpelledService(t *testing.T) {
	known := map[string]bool{"shop": true, "back": true}
	tests := []struct {
		host string
		want string // namespace/name; empty when it is no spelling of a service
	}{
		{"web", "shop/web"},
		{"web.", "shop/web"},
		{"web.shop", "shop/web"},
		{"web.shop.svc", "shop/web"},
		{"web.shop.svc.cluster", "shop/web"},
		{"web.shop.svc.cluster.local", "shop/web"},
		{"web.shop.svc.cluster.local.", "shop/web"},
		{"web.back", "back/web"},
		{"web.back.svc.cluster.local", "back/web"},
		{"web.unknown.svc", "unknown/web"},
		{"mysql-0.mysql", "shop/mysql-0.mysql"},
		{"mysql-0.mysql.back", "back/mysql-0.mysql"},
		{"mysql-0.mysql.shop.svc", "shop/mysql-0.mysql"},
		{"mysql-0.mysql.shop.svc.cluster.local", "shop/mysql-0.mysql"},
		{"shop", "shop/shop"},
		{"shop.shop", "shop/shop"},
		{"web.svc", "shop/web.svc"},
		{"a.b.c", ""},
		{"a.b.c.d.svc", ""},
		{"web.shop.svc.example.com", ""},
		{"", ""},
		{".", ""},
		{"web..shop", ""},
		{".web", ""},
	}
	for _, test := range tests {
		t.Run(test.host, func(t *testing.T) {
			id, ok := spelledService(test.host, "shop", func(name string) bool { return known[name] })
			got := ""
			if ok {
				got = id.String()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	t.Run("a namespace called svc", func(t *testing.T) {
		id, _ := spelledService("mysql-0.mysql.svc", "shop", func(name string) bool { return name == "svc" })
		if want := (model.ServiceID{Namespace: "svc", Name: "mysql-0.mysql"}); id != want {
			t.Errorf("got %s, want %s", id, want)
		}
	})
}

func TestHostPort(t *testing.T) {
	tests := []struct {
		text string
		host string
		port uint16
		ok   bool
	}{
		{"web", "web", 0, true},
		{"web:80", "web", 80, true},
		{"web:0", "web", 0, false},
		{"web:65536", "web", 0, false},
		{"web:http", "web", 0, false},
		{"web:", "web", 0, false},
	}
	for _, test := range tests {
		if host, port, ok := hostPort(test.text); host != test.host || port != test.port || ok != test.ok {
			t.Errorf("%s is %s %d %v", test.text, host, port, ok)
		}
	}
}
