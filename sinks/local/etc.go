//go:build linux

package local

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// clusterDomain is the suffix of every service name.
const clusterDomain = "cluster.local"

// furnish puts files in place of those in /etc that say how names are resolved, for the pod alone. The files are made in
// a folder, and are not needed there afterwards. A file that this machine does not have is not made up.
func (p *pod) furnish(folder string) error {
	for name, text := range map[string]string{
		"resolv.conf":   resolvConf(p.Namespace, p.addresses),
		"hosts":         hosts(p.Name, p.addresses),
		"nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
	} {
		file := filepath.Join(folder, fmt.Sprintf("%s.%s.%s", p.Namespace, p.Name, name))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		err := p.do(func() error { return unix.Mount(file, "/etc/"+name, "", unix.MS_BIND, "") })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("mount /etc/%s: %w", name, err)
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// resolvConf is what a kubelet writes for a pod (dnsPolicy ClusterFirst).
func resolvConf(namespace string, addresses []netip.Addr) string {
	server := gateway4
	if !slices.ContainsFunc(addresses, netip.Addr.Is4) {
		server = gateway6
	}
	return fmt.Sprintf("nameserver %s\nsearch %s.svc.%s svc.%s %s\noptions ndots:5\n", server, namespace, clusterDomain, clusterDomain, clusterDomain)
}

func hosts(name string, addresses []netip.Addr) string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	for _, address := range addresses {
		fmt.Fprintf(&b, "%s %s\n", address, name)
	}
	return b.String()
}
