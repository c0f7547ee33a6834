//go:build linux

package local

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/flomesh-io/fsmc/compiler/inject"
)

// pod is a pod that runs: what the plan says of it, and where it lives. A pod of which the plan says something else that
// it can live with, such as other ports, is another value with the same home.
type pod struct {
	Pod
	*home
}

// home is namespaces for network, mounts and host name, and what runs in them.
type home struct {
	*thread
	fabric *fabric
	// link is the fabric's end of the link.
	link string
	// network and mounts are the namespaces of the thread; nil when they could not be made.
	network, mounts *namespace
	// addresses are those of the plan that this kernel can have.
	addresses []netip.Addr
	// rules are what its traffic is redirected by. Only who makes another state looks at them.
	rules inject.Rules
	// stays ends when the pod has to go.
	stays context.Context
	leave context.CancelFunc
	// starting is held while something is started in the pod, and when the pod has to go.
	starting sync.Mutex
	// sidecar, command and echoes are what runs in it; nil for what does not.
	sidecar atomic.Pointer[sidecar]
	command atomic.Pointer[command]
	echoes  echoes
}

// newPod makes the namespaces of a pod and connects it to the fabric. The number tells links apart. A pod that could not
// be made is returned as well, to be removed.
func newPod(plan Pod, number int64, f *fabric) (*pod, error) {
	p := &pod{plan, &home{thread: newThread(), fabric: f, link: fmt.Sprintf("pod%d", number)}}
	p.stays, p.leave = context.WithCancel(context.Background())
	for _, address := range plan.Addresses {
		if address.Is4() || f.ipv6 {
			p.addresses = append(p.addresses, address)
		}
	}
	if err := p.do(p.unshare); err != nil {
		return p, err
	}
	return p, f.connect(p.link, p.addresses)
}

// unshare gives the calling thread namespaces of its own.
func (p *pod) unshare() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Sethostname([]byte(p.Name)); err != nil {
		return os.NewSyscallError("sethostname", err)
	}
	if p.network, err = namespaceOf("net"); err != nil {
		return err
	}
	if p.mounts, err = namespaceOf("mnt"); err != nil {
		return err
	}
	if err := set(append(quietIPv6, setting{"ipv4/ip_unprivileged_port_start", "0"})...); err != nil {
		return err
	}
	return p.wire()
}

// wire makes the pod's link to the fabric, from the pod's side.
func (p *pod) wire() error {
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
		LinkAttrs: attributes, PeerName: p.link, PeerHardwareAddr: fabricMAC, PeerNamespace: netlink.NsFd(p.fabric.network.Fd()),
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

// dial connects from the pod, as an application in it would. The address is an IP address and a port.
func (p *pod) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A socket belongs to the namespace that its thread was in when it was made. The thread waits for nothing else
		// here: for a numeric address, package net makes the socket and connects it in the calling goroutine.
		runtime.LockOSThread()
		if err = p.network.enter(unix.CLONE_NEWNET); err != nil {
			return
		}
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		if p.fabric.enter() == nil {
			runtime.UnlockOSThread() // Else the runtime ends the thread.
		}
	}()
	<-done
	return conn, err
}
