package local

import (
	"net/netip"
	"testing"

	"github.com/sebdah/goldie/v2"
)

func TestVirtualRules(t *testing.T) {
	at := netip.MustParseAddrPort
	golden := goldie.New(t, goldie.WithNameSuffix(""))
	ipv4, ipv6 := virtualRules([]Virtual{
		{Address: at("198.18.0.1:80"), Endpoints: []netip.AddrPort{at("100.64.0.1:8080"), at("100.64.0.2:8080"), at("100.64.0.3:8080")}},
		{Address: at("198.18.0.1:81"), Endpoints: []netip.AddrPort{at("100.64.0.1:8081")}},
		{Address: at("198.18.0.2:80")},
		{Address: at("[2001:db8::1]:80"), Endpoints: []netip.AddrPort{at("[2001:db8::a]:8080")}},
	})
	golden.Assert(t, "virtual/ipv4", []byte(ipv4))
	golden.Assert(t, "virtual/ipv6", []byte(ipv6))
}
