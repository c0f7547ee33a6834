//go:build linux

package local

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// fabric is the network between the pods: the network namespace that this program itself is in. Each pod is behind an
// interface of its own, with a route to each of its addresses; there is no other route, and so no way out.
type fabric struct {
	network *os.File
	ipv6    bool

	// mu guards links: the kernel changes one thing at a time anyway.
	mu    sync.Mutex
	links *netlink.Handle
}

// All links look alike: neighbours are told to each other when a link is made, so that nobody has to ask for them.
var (
	fabricMAC = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	podMAC    = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

// newFabric makes a fabric of the network namespace of this program.
func newFabric() (*fabric, error) {
	f := &fabric{ipv6: hasIPv6()}
	err := set(append(quietIPv6,
		setting{"ipv4/ip_forward", "1"},
		setting{"ipv6/conf/all/forwarding", "1"},
		setting{"ipv4/conf/all/send_redirects", "0"},
		setting{"ipv4/conf/default/send_redirects", "0"},
		setting{"ipv4/conf/all/rp_filter", "0"},
		setting{"ipv4/conf/default/rp_filter", "0"},
	)...)
	if err != nil {
		return nil, err
	}
	if f.network, err = os.Open("/proc/self/ns/net"); err != nil {
		return nil, err
	}
	if f.links, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, err
	}
	return f, f.raise()
}

// enter brings the calling thread into the fabric.
func (f *fabric) enter() error {
	return os.NewSyscallError("setns", unix.Setns(int(f.network.Fd()), unix.CLONE_NEWNET))
}

// raise brings the fabric's own interface up.
func (f *fabric) raise() error {
	loopback, err := f.links.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := f.links.LinkSetUp(loopback); err != nil {
		return err
	}
	for _, address := range f.addresses() {
		if err := f.links.AddrAdd(loopback, hostAddress(address)); err != nil {
			return fmt.Errorf("give the fabric its address %s: %w", address, err)
		}
	}
	return nil
}

// addresses are the fabric's own.
func (f *fabric) addresses() []netip.Addr {
	if f.ipv6 {
		return []netip.Addr{gateway4, gateway6}
	}
	return []netip.Addr{gateway4}
}

// accept takes a virtual address for the fabric's own: what is not passed on to an endpoint is refused there.
func (f *fabric) accept(address netip.Addr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	loopback, err := f.links.LinkByName("lo")
	if err != nil {
		return err
	}
	return f.links.RouteReplace(&netlink.Route{
		LinkIndex: loopback.Attrs().Index, Dst: hostNetwork(address), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST,
	})
}

// forget takes back that a virtual address is the fabric's own.
func (f *fabric) forget(address netip.Addr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.links.RouteDel(&netlink.Route{Dst: hostNetwork(address), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST})
}

// connect leads addresses to the link of a pod, which has been made.
func (f *fabric) connect(link string, addresses []netip.Addr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	peer, err := f.links.LinkByName(link)
	if err != nil {
		return err
	}
	if err := f.links.LinkSetUp(peer); err != nil {
		return err
	}
	for _, address := range addresses {
		if err := f.links.NeighSet(neighbour(peer, address, podMAC)); err != nil {
			return err
		}
		if err := f.links.RouteAdd(&netlink.Route{LinkIndex: peer.Attrs().Index, Dst: hostNetwork(address), Scope: netlink.SCOPE_LINK}); err != nil {
			return fmt.Errorf("lead %s to it: %w", address, err)
		}
	}
	return nil
}

// disconnect removes the link of a pod, and with it the ways that lead there. A link that is not there is no error.
func (f *fabric) disconnect(link string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	peer, err := f.links.LinkByName(link)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.links.LinkDel(peer)
}

func neighbour(link netlink.Link, address netip.Addr, mac net.HardwareAddr) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: address.AsSlice(), HardwareAddr: mac}
}

// hostNetwork is the network that is one address.
func hostNetwork(address netip.Addr) *net.IPNet {
	return &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(address.BitLen(), address.BitLen())}
}

func hostAddress(address netip.Addr) *netlink.Addr {
	a := &netlink.Addr{IPNet: hostNetwork(address)}
	if address.Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}
