package inject

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"

	"github.com/flomesh-io/fsmc/model"
)

func TestInterception(t *testing.T) {
	var many []uint16
	for port := range uint16(17) {
		many = append(many, 9000+port)
	}
	for _, c := range []struct {
		name     string
		settings model.Interception
	}{
		{"plain", model.Interception{}},
		{"excluded-ranges", model.Interception{OutboundExcludedRanges: prefixes("10.0.0.0/8", "2001:db8:1::/48")}},
		{"included-ranges", model.Interception{OutboundIncludedRanges: prefixes("10.0.0.0/8"), OutboundExcludedRanges: prefixes("10.1.0.0/16")}},
		{"more-ports-than-one-match-takes", model.Interception{OutboundExcludedPorts: model.ListOf(many...), InboundExcludedPorts: model.ListOf(many...)}},
		{"excluded-interfaces", model.Interception{ExcludedInterfaces: model.ListOf("cni0", "tun+")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden := goldie.New(t, goldie.WithNameSuffix(""))
			rules := Interception(c.settings)
			golden.Assert(t, c.name+"/ipv4", []byte(rules.IPv4))
			golden.Assert(t, c.name+"/ipv6", []byte(rules.IPv6))
			if rules.DropIPv6 != dropInbound {
				t.Errorf("rules without IPv6 redirection: %q", rules.DropIPv6)
			}
			for line := range strings.Lines(rules.IPv4 + rules.IPv6) {
				if _, ports, ok := strings.Cut(line, "--dports "); ok && strings.Count(ports, ",") >= 15 {
					t.Errorf("more ports than one match takes: %s", line)
				}
			}
		})
	}
}

func prefixes(texts ...string) model.List[netip.Prefix] {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return model.ListOf(list...)
}
