package sources

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
)

// parseAddress reads an address that a connection can go to. Like the API server, it refuses loopback, link-local,
// multicast and unspecified addresses: behind a service they would be the client itself, or its host.
func parseAddress(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", text)
	}
	address = address.Unmap()
	switch {
	case address.IsUnspecified(), address.IsLoopback(), address.IsLinkLocalUnicast(), address.IsMulticast(),
		address == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.Addr{}, fmt.Errorf("%s cannot be the address of a pod or service", text)
	}
	return address, nil
}

// The ranges that assumed addresses come from: shared address space (RFC 6598), benchmarking (RFC 2544) and
// documentation (RFC 3849). No cluster has them by default.
var (
	podRange     = netip.MustParsePrefix("100.64.0.0/10")
	serviceRange = netip.MustParsePrefix("198.18.0.0/15")
	ipv6Range    = netip.MustParsePrefix("2001:db8::/32")
)

// lease is a request for an address, by a name that stays the same when other objects come and go.
type lease struct {
	from netip.Prefix
	name string
}

// assign gives each name an address of a range by its hash. When two meet at one address, the later name hashes
// again, so that the earlier keeps its own. A name gets none when the range is as good as full.
func assign(from netip.Prefix, names []string, taken map[netip.Addr]bool) map[string]netip.Addr {
	const attempts = 1000
	assigned := make(map[string]netip.Addr, len(names))
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		for attempt := range attempts {
			address := hashed(lease{from, name}, attempt)
			if !taken[address] && address != from.Addr() {
				taken[address] = true
				assigned[name] = address
				break
			}
		}
	}
	return assigned
}

// hashed fills the host part of the range's address with the hash of the name and the number of the attempt.
func hashed(l lease, attempt int) netip.Addr {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s#%d", l.name, attempt))
	bytes := l.from.Addr().AsSlice()
	for i := range bytes {
		fixed := min(8, max(0, l.from.Bits()-8*i))
		bytes[i] |= sum[i] & byte(0xff>>fixed)
	}
	address, _ := netip.AddrFromSlice(bytes)
	return address
}
