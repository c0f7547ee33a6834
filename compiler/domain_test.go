package compiler

import (
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// Each name and address that a request can be for belongs to one virtual host.
func TestDomains(t *testing.T) {
	s0, s1 := pod("seller-0", seller, "100.64.0.10"), pod("seller-1", seller, "100.64.0.11")
	six := pod("seller-6", seller, "2001:db8::6")
	http := func(endpoints ...model.Endpoint) model.Port { return answers(80, model.HTTP, endpoints...) }
	elsewhere := func(namespace, name, address string) *model.Service {
		s := clusterIP(name, address, http(behind(s0, 80)))
		s.ID.Namespace = namespace
		return s
	}
	for _, row := range []struct {
		name     string
		services []any
		want     []string // from one domain to its virtual host, where the name alone does not tell
		codes    []model.Code
	}{
		{
			name:     "a service by its names and its address",
			services: []any{clusterIP("web", "198.18.0.1", http(behind(s0, 80)))},
			want: []string{
				"198.18.0.1 -> web.shop", "web -> web.shop", "web.shop -> web.shop", "web.shop.svc -> web.shop",
				"web.shop.svc.cluster -> web.shop", "web.shop.svc.cluster.local -> web.shop",
			},
		},
		{
			name:     "of another namespace not by the bare name",
			services: []any{elsewhere("bank", "web", "198.18.0.1")},
			want: []string{
				"198.18.0.1 -> web.bank", "web.bank -> web.bank", "web.bank.svc -> web.bank", "web.bank.svc.cluster -> web.bank",
				"web.bank.svc.cluster.local -> web.bank",
			},
		},
		{
			name:     "services of two namespaces, on one port",
			services: []any{elsewhere("bank", "web", "198.18.0.1"), clusterIP("web", "198.18.0.2", http(behind(s0, 80)))},
			want: []string{
				"198.18.0.1 -> web.bank", "198.18.0.2 -> web.shop", "web -> web.shop",
				"web.bank -> web.bank", "web.bank.svc -> web.bank", "web.bank.svc.cluster -> web.bank", "web.bank.svc.cluster.local -> web.bank",
				"web.shop -> web.shop", "web.shop.svc -> web.shop", "web.shop.svc.cluster -> web.shop", "web.shop.svc.cluster.local -> web.shop",
			},
		},
		{
			name:     "IPv6 stands in brackets",
			services: []any{clusterIP("web", "2001:db8::1", http(behind(s0, 80), behind(six, 80)))},
			want: []string{
				"[2001:db8::1] -> web.shop", "web -> web.shop", "web.shop -> web.shop", "web.shop.svc -> web.shop",
				"web.shop.svc.cluster -> web.shop", "web.shop.svc.cluster.local -> web.shop",
			},
		},
		{
			name:     "a headless service's pods by their addresses, each by itself",
			services: []any{headless("web", http(behind(s0, 80), behind(s1, 80)))},
			want: []string{
				"100.64.0.10 -> web.shop direct", "100.64.0.11 -> web.shop direct",
				"web -> web.shop", "web.shop -> web.shop", "web.shop.svc -> web.shop",
				"web.shop.svc.cluster -> web.shop", "web.shop.svc.cluster.local -> web.shop",
			},
		},
		{
			name:     "a host has the address of its pod",
			services: []any{headless("web", http(behind(s0, 80))), hostOf("web", "a", http(behind(s0, 80)))},
			want: []string{
				"100.64.0.10 -> a.web.shop",
				"a.web -> a.web.shop", "a.web.shop -> a.web.shop", "a.web.shop.svc -> a.web.shop",
				"a.web.shop.svc.cluster -> a.web.shop", "a.web.shop.svc.cluster.local -> a.web.shop",
				"web -> web.shop", "web.shop -> web.shop", "web.shop.svc -> web.shop",
				"web.shop.svc.cluster -> web.shop", "web.shop.svc.cluster.local -> web.shop",
			},
		},
		{
			name: "a name that is the longer form of another service is that one's",
			services: []any{
				headless("bank", http(behind(s0, 80))), hostOf("bank", "web", http(behind(s0, 80))), elsewhere("bank", "web", "198.18.0.1"),
			},
			want: []string{
				"100.64.0.10 -> web.bank.shop", "198.18.0.1 -> web.bank",
				"bank -> bank.shop", "bank.shop -> bank.shop", "bank.shop.svc -> bank.shop",
				"bank.shop.svc.cluster -> bank.shop", "bank.shop.svc.cluster.local -> bank.shop",
				"web.bank -> web.bank",
				"web.bank.shop -> web.bank.shop", "web.bank.shop.svc -> web.bank.shop",
				"web.bank.shop.svc.cluster -> web.bank.shop", "web.bank.shop.svc.cluster.local -> web.bank.shop",
				"web.bank.svc -> web.bank", "web.bank.svc.cluster -> web.bank", "web.bank.svc.cluster.local -> web.bank",
			},
			codes: []model.Code{model.DuplicateDomain},
		},
		{
			name: "one address twice is the first one's",
			services: []any{
				clusterIP("b", "198.18.0.1", http(behind(s0, 80))), clusterIP("a", "198.18.0.1", http(behind(s0, 80))),
			},
			want: []string{
				"198.18.0.1 -> a.shop",
				"a -> a.shop", "a.shop -> a.shop", "a.shop.svc -> a.shop", "a.shop.svc.cluster -> a.shop", "a.shop.svc.cluster.local -> a.shop",
				"b -> b.shop", "b.shop -> b.shop", "b.shop.svc -> b.shop", "b.shop.svc.cluster -> b.shop", "b.shop.svc.cluster.local -> b.shop",
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			caller := pod("buyer-0", buyer, "100.64.0.1")
			caller.Addresses = model.ListOf(caller.Addresses.At(0), six.Addresses.At(0).Next())
			output, diagnostics := Compile(meshOf(permissive(), append(row.services, caller)...))
			class, _ := output.ClassOf(theBuyer)
			table := configurationOf(class).routes["rds-outbound.80"]
			got := map[string]string{}
			for _, h := range table.GetVirtualHosts() {
				for _, d := range h.Domains {
					got[d] = hostOwner(h)
				}
			}
			if diff := cmp.Diff(row.want, pairs(got)); diff != "" {
				t.Errorf("domains (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.codes, codes(diagnostics)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s\n%v", diff, diagnostics)
			}
			if !table.IgnorePortInHostMatching {
				t.Error("a Host with a port would match nothing")
			}
		})
	}
}

// hostOwner is <service>.<namespace> of a virtual host, and whether it is for pods by their addresses.
func hostOwner(h *routev3.VirtualHost) string {
	name := strings.TrimPrefix(h.Name, "outbound_virtual-host|")
	name, direct := strings.CutSuffix(name, "|direct")
	name = strings.TrimSuffix(name, ".svc.cluster.local")
	if direct {
		name += " direct"
	}
	return name
}
