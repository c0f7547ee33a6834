package sources

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"IPv4":                   {"10.0.0.1", "10.0.0.1"},
		"IPv6 is made canonical": {"2001:DB8::0:1", "2001:db8::1"},
		"IPv4 in IPv6":           {"::ffff:10.0.0.1", "10.0.0.1"},
		"a name":                 {"example.com", ""},
		"nothing":                {"", ""},
		"out of range":           {"10.0.0.256", ""},
		"leading zeros":          {"010.0.0.1", ""},
		"with a zone":            {"fe80::1%eth0", ""},
		"the client itself":      {"127.0.0.1", ""},
		"the client, IPv6":       {"::1", ""},
		"the client, IPv4 in 6":  {"::ffff:127.0.0.1", ""},
		"anything":               {"0.0.0.0", ""},
		"the host's metadata":    {"169.254.169.254", ""},
		"multicast":              {"224.0.0.1", ""},
		"broadcast":              {"255.255.255.255", ""},
	} {
		t.Run(name, func(t *testing.T) {
			address, err := parseAddress(row.text)
			if row.want == "" {
				if err == nil {
					t.Fatalf("got %s, want an error", address)
				}
				return
			}
			if err != nil || address.String() != row.want {
				t.Fatalf("got %s, %v, want %s", address, err, row.want)
			}
		})
	}
}

// The addresses below are in goldens and in people's notes: a change of the hash is a change for everybody.
func TestAssignedAddressesStayTheSame(t *testing.T) {
	none := func() map[netip.Addr]bool { return map[netip.Addr]bool{} }
	pods := []string{"Deployment/shop/web/0", "Deployment/shop/web/1"}
	got := []map[string]netip.Addr{
		assign(podRange, pods, none()), assign(serviceRange, []string{"Service/shop/web"}, none()), assign(ipv6Range, []string{"Service/shop/web"}, none()),
	}
	want := []map[string]netip.Addr{
		{pods[0]: netip.MustParseAddr("100.88.205.12"), pods[1]: netip.MustParseAddr("100.120.194.210")},
		{"Service/shop/web": netip.MustParseAddr("198.18.238.16")},
		{"Service/shop/web": netip.MustParseAddr("2001:db8:137b:6ed0:183a:57dd:129d:e493")},
	}
	if !slices.EqualFunc(got, want, maps.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAssign(t *testing.T) {
	const many = 3000
	tiny := netip.MustParsePrefix("10.1.0.0/20")
	var asked []string
	for i := range many {
		asked = append(asked, fmt.Sprintf("Pod/shop/p%d", i))
	}
	assigned := assign(tiny, asked, map[netip.Addr]bool{})

	t.Run("every address is in the range, and given once", func(t *testing.T) {
		seen := map[netip.Addr]bool{}
		for _, name := range asked {
			address := assigned[name]
			if !tiny.Contains(address) || address == tiny.Addr() || seen[address] {
				t.Fatalf("%s got %s", name, address)
			}
			seen[address] = true
		}
	})
	t.Run("the order of asking does not show", func(t *testing.T) {
		backwards := slices.Clone(asked)
		slices.Reverse(backwards)
		again := assign(tiny, backwards, map[netip.Addr]bool{})
		for _, name := range asked {
			if again[name] != assigned[name] {
				t.Fatalf("%s got %s, then %s", name, assigned[name], again[name])
			}
		}
	})
	t.Run("on collision the later name moves", func(t *testing.T) {
		moved := 0
		for _, name := range asked {
			first := hashed(lease{tiny, name}, 0)
			if assigned[name] == first {
				continue
			}
			moved++
			keeps := slices.ContainsFunc(asked, func(other string) bool { return other < name && assigned[other] == first })
			if !keeps && first != tiny.Addr() {
				t.Fatalf("%s moved from %s, which no earlier name has", name, first)
			}
		}
		if moved == 0 {
			t.Fatal("nothing collided")
		}
	})
	t.Run("a taken address is not given again", func(t *testing.T) {
		name := asked[0]
		taken := assigned[name]
		if got := assign(tiny, []string{name}, map[netip.Addr]bool{taken: true})[name]; got == taken || !got.IsValid() {
			t.Fatalf("got %s", got)
		}
	})
	t.Run("a full range gives none", func(t *testing.T) {
		one := netip.MustParsePrefix("10.9.9.8/31")
		got := assign(one, []string{"a", "b"}, map[netip.Addr]bool{})
		if len(got) != 1 || got["a"] != netip.MustParseAddr("10.9.9.9") {
			t.Fatalf("got %v", got)
		}
	})
}
