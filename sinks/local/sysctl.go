//go:build linux

package local

import (
	"errors"
	"io/fs"
	"os"
)

// setting is a kernel setting of a network namespace, by its path under /proc/sys/net.
type setting struct{ path, value string }

// quietIPv6 lets addresses be used at once, and keeps the kernel from sending what nobody asked for.
var quietIPv6 = []setting{
	{"ipv6/conf/all/disable_ipv6", "0"},
	{"ipv6/conf/default/disable_ipv6", "0"},
	{"ipv6/conf/default/accept_dad", "0"},
	{"ipv6/conf/default/accept_ra", "0"},
	{"ipv6/conf/default/autoconf", "0"},
	{"ipv6/conf/default/router_solicitations", "0"},
	{"ipv6/conf/default/addr_gen_mode", "1"}, // No link-local address.
}

// set sets kernel settings in the network namespace of the calling thread. A setting that this kernel does not have is
// passed over.
func set(settings ...setting) error {
	for _, s := range settings {
		err := os.WriteFile("/proc/sys/net/"+s.path, []byte(s.value), 0)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// hasIPv6 says whether the kernel has IPv6 at all.
func hasIPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	return err == nil
}
