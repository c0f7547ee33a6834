//go:build linux

package local

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// pod is a pod that runs: namespaces for network, mounts and host name, and what runs in them.
type pod struct {
	Pod
	*thread
	fabric *fabric
	// network and mounts are the namespaces of the thread.
	network, mounts *os.File
	// addresses are those of the plan that this kernel can have.
	addresses []netip.Addr
	sidecar   *sidecar
	command   *command
}

// newPod makes the namespaces of a pod and connects it to the fabric. The number tells links apart.
func newPod(plan Pod, number int, f *fabric) (*pod, error) {
	p := &pod{Pod: plan, thread: newThread(), fabric: f}
	for _, address := range plan.Addresses {
		if address.Is4() || f.ipv6 {
			p.addresses = append(p.addresses, address)
		}
	}
	link := fmt.Sprintf("pod%d", number)
	if err := p.do(func() error { return p.unshare(link) }); err != nil {
		return nil, err
	}
	return p, f.connect(link, p.addresses)
}

// unshare gives the calling thread namespaces of its own.
func (p *pod) unshare(link string) (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Sethostname([]byte(p.Name)); err != nil {
		return os.NewSyscallError("sethostname", err)
	}
	if p.network, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return err
	}
	if p.mounts, err = os.Open("/proc/thread-self/ns/mnt"); err != nil {
		return err
	}
	if err := set(append(quietIPv6, setting{"ipv4/ip_unprivileged_port_start", "0"})...); err != nil {
		return err
	}
	return p.wire(link)
}

// wire makes the pod's link to the fabric, from the pod's side.
func (p *pod) wire(link string) error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.HardwareAddr = "eth0", podMAC
	if err := netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: attributes, PeerName: link, PeerHardwareAddr: fabricMAC, PeerNamespace: netlink.NsFd(p.fabric.network.Fd()),
	}); err != nil {
		return fmt.Errorf("make its link: %w", err)
	}
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(eth0); err != nil {
		return err
	}
	for _, address := range p.addresses {
		if err := netlink.AddrAdd(eth0, hostAddress(address)); err != nil {
			return fmt.Errorf("give it its address %s: %w", address, err)
		}
	}
	return p.route(eth0)
}

// route sends everything to the fabric.
func (p *pod) route(eth0 netlink.Link) error {
	sources := map[netip.Addr]netip.Addr{}
	for _, address := range p.addresses {
		hop := gateway4
		if address.Is6() {
			hop = nextHop6
		}
		if _, ok := sources[hop]; !ok {
			sources[hop] = address
		}
	}
	for hop, source := range sources {
		if err := netlink.NeighSet(neighbour(eth0, hop, fabricMAC)); err != nil {
			return err
		}
		if err := netlink.RouteAdd(&netlink.Route{
			LinkIndex: eth0.Attrs().Index, Gw: hop.AsSlice(), Src: source.AsSlice(), Flags: int(netlink.FLAG_ONLINK),
		}); err != nil {
			return fmt.Errorf("give it a route through %s: %w", hop, err)
		}
	}
	return nil
}

// enter brings the calling thread into a network namespace.
func enter(network *os.File) error {
	return os.NewSyscallError("setns", unix.Setns(int(network.Fd()), unix.CLONE_NEWNET))
}

// dial connects from the pod, as an application in it would. The address is an IP address and a port.
func (p *pod) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A socket belongs to the namespace that its thread was in when it was made. The thread waits for nothing else
		// here: for a numeric address, package net makes the socket and connects it in the calling goroutine.
		runtime.LockOSThread()
		if err = enter(p.network); err != nil {
			return
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		if enter(p.fabric.network) == nil {
			runtime.UnlockOSThread() // Else the runtime ends the thread.
		}
	}()
	<-done
	return conn, err
}
