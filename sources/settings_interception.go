package sources

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// interception reads which traffic does not go through sidecars.
func (r *settingsReader) interception(traffic configv1alpha2.TrafficSpec) model.Interception {
	return model.Interception{
		OutboundExcludedRanges: r.ranges("spec.traffic.outboundIPRangeExclusionList", traffic.OutboundIPRangeExclusionList),
		OutboundIncludedRanges: r.ranges("spec.traffic.outboundIPRangeInclusionList", traffic.OutboundIPRangeInclusionList),
		OutboundExcludedPorts:  r.ports("spec.traffic.outboundPortExclusionList", traffic.OutboundPortExclusionList),
		InboundExcludedPorts:   r.ports("spec.traffic.inboundPortExclusionList", traffic.InboundPortExclusionList),
		ExcludedInterfaces:     r.interfaces("spec.traffic.networkInterfaceExclusionList", traffic.NetworkInterfaceExclusionList),
	}
}

func (r *settingsReader) ranges(field string, written []string) model.List[netip.Prefix] {
	var ranges []netip.Prefix
	for i, text := range written {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			r.invalid(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is not a range of addresses", text), "it is left out", rangeMend(text))
			continue
		}
		ranges = append(ranges, prefix.Masked())
	}
	return distinct(ranges, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
}

func rangeMend(text string) string {
	if address, err := netip.ParseAddr(text); err == nil {
		return fmt.Sprintf("write %s/%d for the one address", address, address.BitLen())
	}
	return "write an address and a length, such as 10.0.0.0/8"
}

func (r *settingsReader) ports(field string, written []int) model.List[uint16] {
	var ports []uint16
	for i, number := range written {
		port, ok := portNumber(number)
		if !ok {
			r.invalid(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("port %d is not between 1 and 65535", number), "it is left out", "write a port from 1 to 65535")
			continue
		}
		ports = append(ports, port)
	}
	return distinct(ports, cmp.Compare)
}

func (r *settingsReader) interfaces(field string, written []string) model.List[string] {
	var names []string
	for i, name := range written {
		if !isInterface(name) {
			r.invalid(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is not the name of a network interface", name), "it is left out",
				"write a name of at most 15 letters, digits and -_.:@, with + at the end for all that begin so")
			continue
		}
		names = append(names, name)
	}
	return distinct(names, cmp.Compare)
}

// isInterface says whether a name is one that interception rules can hold. They are text, so that nothing that could
// end a word gets through.
func isInterface(name string) bool {
	name = strings.TrimSuffix(name, "+")
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-_.:@", c) >= 0:
		default:
			return false
		}
	}
	return name != "" && len(name) <= 15 && name[0] != '-'
}

// distinct is a list in order and without repetition.
func distinct[T comparable](items []T, compare func(a, b T) int) model.List[T] {
	slices.SortFunc(items, compare)
	return model.ListOf(slices.Compact(items)...)
}
