package model

import (
	"testing"
	"time"
)

// The orders of names: each line is before all that follow, and equal to itself.
func TestOrders(t *testing.T) {
	inOrder(t, "identities", Identity.Compare, Identity{}, Identity{"a", "a"}, Identity{"a", "b"}, Identity{"b", "a"})
	inOrder(t, "services", ServiceID.Compare, ServiceID{}, ServiceID{"a", "a"}, ServiceID{"a", "b"}, ServiceID{"b", "a"})
	inOrder(t, "service ports", ServicePort.Compare,
		ServicePort{}, ServicePort{ServiceID{"a", "a"}, 1}, ServicePort{ServiceID{"a", "a"}, 20}, ServicePort{ServiceID{"a", "b"}, 3})
	inOrder(t, "permissions", PermissionID.Compare, PermissionID{}, PermissionID{"a", "a"}, PermissionID{"a", "b"}, PermissionID{"b", "a"})
	inOrder(t, "proxies", ProxyID.Compare, ProxyID{}, ProxyID{"a", "a"}, ProxyID{"a", "b"}, ProxyID{"b", "a"})
	inOrder(t, "places", Ref.Compare,
		Ref{}, Ref{"A", "z", "z", "z"}, Ref{"B", "a", "z", "z"}, Ref{"B", "b", "a", "z"}, Ref{"B", "b", "b", "a"}, Ref{"B", "b", "b", "b"})
	inOrder(t, "members", Member.Compare,
		Member{Target: 1, ServicePort: ServicePort{ServiceID{"z", "z"}, 9}}, Member{Target: 2, ServicePort: ServicePort{Port: 1}},
		Member{Target: 2, ServicePort: ServicePort{Port: 2}})
}

func inOrder[T any](t *testing.T, what string, compare func(a, b T) int, list ...T) {
	t.Helper()
	for i, a := range list {
		for j, b := range list {
			if got := compare(a, b); sign(got) != sign(i-j) {
				t.Errorf("%s: %v against %v is %d", what, a, b, got)
			}
		}
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

// The older service wins; one that no cluster has made is the youngest; names decide the rest.
func TestPrecedes(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0).UTC() }
	for _, row := range []struct {
		name            string
		first, second   Service
		wins, otherWins bool
	}{
		{"older", Service{ID: ServiceID{"z", "z"}, Created: at(1)}, Service{ID: ServiceID{"a", "a"}, Created: at(2)}, true, false},
		{"no time is youngest", Service{ID: ServiceID{"z", "z"}, Created: at(9)}, Service{ID: ServiceID{"a", "a"}}, true, false},
		{"equal times", Service{ID: ServiceID{"a", "a"}, Created: at(1)}, Service{ID: ServiceID{"a", "b"}, Created: at(1)}, true, false},
		{"no times", Service{ID: ServiceID{"a", "z"}}, Service{ID: ServiceID{"b", "a"}}, true, false},
		{"itself", Service{ID: ServiceID{"a", "a"}}, Service{ID: ServiceID{"a", "a"}}, false, false},
		{
			"one moment in two places", Service{ID: ServiceID{"a", "a"}, Created: at(1).In(time.FixedZone("east", 3600))},
			Service{ID: ServiceID{"a", "b"}, Created: at(1)}, true, false,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.first.Precedes(&row.second); got != row.wins {
				t.Errorf("the first wins: %t", got)
			}
			if got := row.second.Precedes(&row.first); got != row.otherWins {
				t.Errorf("the second wins: %t", got)
			}
		})
	}
}

func TestSpellings(t *testing.T) {
	web := ServiceID{"shop", "web"}
	for _, row := range []struct{ name, got, want string }{
		{"identity", Identity{"shop", "buyer"}.String(), "shop/buyer"},
		{"SPIFFE ID", Identity{"shop", "buyer"}.URI("cluster.local"), "spiffe://cluster.local/ns/shop/sa/buyer"},
		{"SPIFFE ID with dots", Identity{"shop", "a.b"}.URI("mesh.example"), "spiffe://mesh.example/ns/shop/sa/a.b"},
		{"SPIFFE ID of a name that would be a path", Identity{"shop", "a?b#c"}.URI("d"), "spiffe://d/ns/shop/sa/a%3Fb%23c"},
		{"service", web.String(), "shop/web"},
		{"service port", ServicePort{web, 80}.String(), "shop/web:80"},
		{"proxy", ProxyID{"shop", "web-0"}.String(), "shop/web-0"},
		{"permission", (&Permission{Namespace: "shop", Name: "p"}).String(), "shop/p"},
		{"split", (&Split{Namespace: "shop", Name: "s"}).String(), "shop/s"},
		{"place", Ref{"Service", "shop", "web", "spec.ports[0]"}.String(), "Service shop/web spec.ports[0]"},
		{"place as a whole", Ref{"Service", "shop", "web", "spec.ports[0]"}.Object().String(), "Service shop/web"},
		{"another place", Ref{"Service", "shop", "web", ""}.At("spec").String(), "Service shop/web spec"},
		{"place without a namespace", Ref{Kind: "Namespace", Name: "shop"}.String(), "Namespace shop"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, not %q", row.name, row.got, row.want)
		}
	}
}
