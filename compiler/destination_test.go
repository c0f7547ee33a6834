package compiler

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// Each address and port of the outbound listener has one owner.
func TestDestinations(t *testing.T) {
	s0, s1 := pod("seller-0", seller, "100.64.0.10"), pod("seller-1", seller, "100.64.0.11")
	const http, tcp = model.HTTP, model.TCP
	for _, row := range []struct {
		name     string
		services []any
		want     []string
		codes    []model.Code
	}{
		{
			name:     "a cluster IP with the service's port, a pod with its own",
			services: []any{clusterIP("web", "198.18.0.1", answers(80, http, behind(s0, 8080)))},
			want:     []string{"100.64.0.10 8080 -> outbound_shop/web_80_direct", "198.18.0.1 80 -> outbound_80_http"},
		},
		{
			name:     "TCP has a chain for each service port",
			services: []any{clusterIP("web", "198.18.0.1", answers(80, tcp, behind(s0, 8080)), answers(81, tcp, behind(s0, 8080)))},
			want: []string{
				"100.64.0.10 8080 -> outbound_shop/web_80_direct",
				"198.18.0.1 80 -> outbound_shop/web_80_tcp", "198.18.0.1 81 -> outbound_shop/web_81_tcp",
			},
		},
		{
			name:     "HTTP services on one port share a chain",
			services: []any{clusterIP("a", "198.18.0.1", answers(80, http, behind(s0, 80))), clusterIP("b", "198.18.0.2", answers(80, http, behind(s1, 80)))},
			want: []string{
				"100.64.0.10 80 -> outbound_shop/a_80_direct", "100.64.0.11 80 -> outbound_shop/b_80_direct",
				"198.18.0.1 80 -> outbound_80_http", "198.18.0.2 80 -> outbound_80_http",
			},
		},
		{
			name:     "a headless service is at its pods, at its port and at theirs",
			services: []any{headless("db", answers(3306, tcp, behind(s0, 3307), behind(s1, 3306)))},
			want: []string{
				"100.64.0.10 3306 -> outbound_shop/db_3306_tcp", "100.64.0.10 3307 -> outbound_shop/db_3306_tcp",
				"100.64.0.11 3306 -> outbound_shop/db_3306_tcp",
			},
		},
		{
			name: "a host comes before its headless service",
			services: []any{
				headless("db", answers(3306, tcp, behind(s0, 3306), behind(s1, 3306))), hostOf("db", "a", answers(3306, tcp, behind(s0, 3306))),
			},
			want: []string{"100.64.0.10 3306 -> outbound_shop/a.db_3306_tcp", "100.64.0.11 3306 -> outbound_shop/db_3306_tcp"},
		},
		{
			name: "a headless service comes before a pod's address",
			services: []any{
				clusterIP("aaa", "198.18.0.1", answers(80, tcp, behind(s0, 3306))), headless("db", answers(3306, tcp, behind(s0, 3306))),
			},
			want: []string{"100.64.0.10 3306 -> outbound_shop/db_3306_tcp", "198.18.0.1 80 -> outbound_shop/aaa_80_tcp"},
		},
		{
			name: "a cluster IP comes before everything",
			services: []any{
				headless("aaa", answers(80, tcp, behind(s0, 80))), clusterIP("web", "100.64.0.10", answers(80, tcp, behind(s1, 81))),
			},
			want: []string{"100.64.0.10 80 -> outbound_shop/web_80_tcp", "100.64.0.11 81 -> outbound_shop/web_80_direct"},
		},
		{
			name: "two services lead to one pod: the first by name has its address, and nobody is troubled",
			services: []any{
				clusterIP("b", "198.18.0.2", answers(80, tcp, behind(s0, 80))), clusterIP("a", "198.18.0.1", answers(80, tcp, behind(s0, 80))),
			},
			want: []string{
				"100.64.0.10 80 -> outbound_shop/a_80_direct",
				"198.18.0.1 80 -> outbound_shop/a_80_tcp", "198.18.0.2 80 -> outbound_shop/b_80_tcp",
			},
		},
		{
			name: "two headless services on one pod: the first by name",
			services: []any{
				headless("b", answers(80, tcp, behind(s0, 80))), headless("a", answers(80, tcp, behind(s0, 80))),
			},
			want:  []string{"100.64.0.10 80 -> outbound_shop/a_80_tcp"},
			codes: []model.Code{model.SharedAddress},
		},
		{
			name: "two headless services on one pod: the older",
			services: []any{
				born(2, headless("a", answers(80, tcp, behind(s0, 80)))), born(1, headless("b", answers(80, tcp, behind(s0, 80)))),
			},
			want:  []string{"100.64.0.10 80 -> outbound_shop/b_80_tcp"},
			codes: []model.Code{model.SharedAddress},
		},
		{
			name: "one cluster IP twice: the first by name",
			services: []any{
				clusterIP("b", "198.18.0.1", answers(80, tcp, behind(s0, 80))), clusterIP("a", "198.18.0.1", answers(80, tcp, behind(s1, 80))),
			},
			want: []string{
				"100.64.0.10 80 -> outbound_shop/b_80_direct", "100.64.0.11 80 -> outbound_shop/a_80_direct",
				"198.18.0.1 80 -> outbound_shop/a_80_tcp",
			},
			codes: []model.Code{model.OverlappingChain},
		},
		{
			name: "one cluster IP twice: one that no cluster has made is the youngest",
			services: []any{
				clusterIP("a", "198.18.0.1", answers(80, tcp, outside("192.0.2.1:80"))),
				born(9, clusterIP("b", "198.18.0.1", answers(80, tcp, outside("192.0.2.2:80")))),
			},
			want: []string{
				"192.0.2.1 80 -> outbound_plaintext", "192.0.2.2 80 -> outbound_plaintext", "198.18.0.1 80 -> outbound_shop/b_80_tcp",
			},
			codes: []model.Code{model.OverlappingChain},
		},
		{
			name: "one cluster IP twice, both HTTP: the Host tells them apart",
			services: []any{
				clusterIP("a", "198.18.0.1", answers(80, http, outside("192.0.2.1:80"))),
				clusterIP("b", "198.18.0.1", answers(80, http, outside("192.0.2.2:80"))),
			},
			want: []string{
				"192.0.2.1 80 -> outbound_plaintext", "192.0.2.2 80 -> outbound_plaintext", "198.18.0.1 80 -> outbound_80_http",
			},
		},
		{
			name: "one cluster IP thrice: the oldest counts, though it is not the first of those that share a chain",
			services: []any{
				born(3, clusterIP("a", "198.18.0.1", answers(80, http, outside("192.0.2.1:80")))),
				born(1, clusterIP("b", "198.18.0.1", answers(80, http, outside("192.0.2.2:80")))),
				born(2, clusterIP("c", "198.18.0.1", answers(80, tcp, outside("192.0.2.3:80")))),
			},
			want: []string{
				"192.0.2.1 80 -> outbound_plaintext", "192.0.2.2 80 -> outbound_plaintext", "192.0.2.3 80 -> outbound_plaintext",
				"198.18.0.1 80 -> outbound_80_http",
			},
			codes: []model.Code{model.OverlappingChain},
		},
		{
			name:     "two ports of one headless service lead to one port: the one of that number has it, and nobody is troubled",
			services: []any{headless("a", answers(80, http, behind(s0, 80)), answers(90, http, behind(s0, 80)))},
			want:     []string{"100.64.0.10 80 -> outbound_80_http", "100.64.0.10 90 -> outbound_90_http"},
		},
		{
			name:     "the same for a port that is claimed later",
			services: []any{headless("a", answers(80, tcp, behind(s0, 9000)), answers(90, http, behind(s0, 80)))},
			want: []string{
				"100.64.0.10 80 -> outbound_shop/a_80_tcp", "100.64.0.10 90 -> outbound_90_http",
				"100.64.0.10 9000 -> outbound_shop/a_80_tcp",
			},
		},
		{
			name: "two services may have one cluster IP on two ports",
			services: []any{
				clusterIP("a", "198.18.0.1", answers(80, tcp, outside("192.0.2.1:80"))), clusterIP("b", "198.18.0.1", answers(81, tcp, outside("192.0.2.2:80"))),
			},
			want: []string{
				"192.0.2.1 80 -> outbound_plaintext", "192.0.2.2 80 -> outbound_plaintext",
				"198.18.0.1 80 -> outbound_shop/a_80_tcp", "198.18.0.1 81 -> outbound_shop/b_81_tcp",
			},
		},
		{
			name:     "a pod without IPv6 does not know of it",
			services: []any{clusterIP("a", "2001:db8::1", answers(80, tcp, behind(s0, 80))), clusterIP("b", "198.18.0.1", answers(80, tcp, outside("[2001:db8::2]:80")))},
			want:     []string{"100.64.0.10 80 -> outbound_shop/a_80_direct", "198.18.0.1 80 -> outbound_shop/b_80_tcp"},
		},
		{
			name:     "a pod without a sidecar is called by its own address as it is",
			services: []any{clusterIP("a", "198.18.0.1", answers(80, tcp, outside("192.0.2.1:8080")))},
			want:     []string{"192.0.2.1 8080 -> outbound_plaintext", "198.18.0.1 80 -> outbound_shop/a_80_tcp"},
		},
		{
			name: "a pod is called by its own address where it has a door for the service",
			services: []any{
				// It is listed by hand and not selected, beside another one.
				clusterIP("a", "198.18.0.1", answers(80, tcp, behind(pod("x-0", thief, "100.64.0.66"), 8080), outside("192.0.2.1:8080"))),
				pod("x-0", thief, "100.64.0.66", serves("b", 80, 8080, tcp), serves("a", 80, 8081, tcp), serves("a", 81, 8080, tcp)),
			},
			want: []string{
				"100.64.0.66 8081 -> outbound_shop/a_80_direct", "192.0.2.1 8080 -> outbound_plaintext",
				"198.18.0.1 80 -> outbound_shop/a_80_tcp",
			},
		},
		{
			name: "a pod that is not ready is called by its own address",
			services: []any{
				clusterIP("a", "198.18.0.1", answers(80, tcp)),
				pod("x-0", thief, "100.64.0.66", serves("a", 80, 8080, tcp)),
			},
			want: []string{"100.64.0.66 8080 -> outbound_shop/a_80_direct", "198.18.0.1 80 -> outbound_shop/a_80_tcp"},
		},
		{
			name:     "nobody answers",
			services: []any{clusterIP("a", "198.18.0.1", answers(80, tcp)), headless("b", answers(80, http))},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			mesh := meshOf(permissive(), append(populated(row.services...), pod("buyer-0", buyer, "100.64.0.1"))...)
			output, diagnostics := Compile(mesh)
			class, _ := output.ClassOf(theBuyer)
			got := pairs(destinationsOf(configurationOf(class).listeners[outboundListener]))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("destinations (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.codes, codes(diagnostics)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s\n%v", diff, diagnostics)
			}
		})
	}
}

func born(second int64, s *model.Service) *model.Service {
	s.Created = time.Unix(second, 0).UTC()
	return s
}

func TestListenersBindWhatThePodHas(t *testing.T) {
	v4, v6 := netip.MustParseAddr("100.64.0.1"), netip.MustParseAddr("2001:db8::1")
	for _, row := range []struct {
		name      string
		addresses []netip.Addr
		want      []string
	}{
		{"IPv4", []netip.Addr{v4}, []string{"0.0.0.0"}},
		{"IPv6", []netip.Addr{v6}, []string{"[::]"}},
		{"both", []netip.Addr{v6, v4}, []string{"0.0.0.0", "[::]"}},
		{"none yet", nil, []string{"0.0.0.0"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			proxy := pod("seller-0", seller, "100.64.0.1", serves("web", 80, 8080, model.HTTP))
			proxy.Addresses, proxy.Metrics = model.ListOf(row.addresses...), true
			settings := permissive()
			settings.Egress = true
			c := compiled(t, meshOf(settings, proxy), theSeller)
			for name, port := range map[string]string{outboundListener: "15001", inboundListener: "15003", prometheusListener: "15010"} {
				var want []string
				for _, address := range row.want {
					want = append(want, address+":"+port)
				}
				if diff := cmp.Diff(want, socketsOf(c.listeners[name])); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// What the mesh does not know is passed through or refused, as the MeshConfig says.
func TestEgress(t *testing.T) {
	for _, row := range []struct {
		name    string
		mesh    *model.Mesh
		want    []string // the clusters of the default chain
		listens bool
	}{
		{"off, and nothing to call", meshOf(smi(), pod("buyer-0", buyer, "100.64.0.1")), nil, false},
		{"off", shop(smi()), nil, true},
		{"on, and nothing to call", meshOf(egress(smi()), pod("buyer-0", buyer, "100.64.0.1")), []string{"passthrough-outbound"}, true},
		{"on", shop(egress(permissive())), []string{"passthrough-outbound"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := compiled(t, row.mesh, theBuyer)
			l, listens := c.listeners[outboundListener]
			if listens != row.listens {
				t.Errorf("there is a listener: %t", listens)
			}
			var got []string
			if chain := l.GetDefaultFilterChain(); chain != nil {
				got = clusterNames(flat(chain))
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("the default chain leads to (-want +got):\n%s", diff)
			}
		})
	}
}

func egress(s model.Settings) model.Settings {
	s.Egress = true
	return s
}
