//go:build linux

package local

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/verdict"
)

func TestProtocols(t *testing.T) {
	r := up(t, "testdata/protocols.yaml")
	client, stranger := "shop/client-0", "outside/stranger-0"
	ipv6 := r.addressOf(t, "outside/stranger-1", netip.Addr.Is6)
	r.askAll(t, []question{
		{name: "HTTP/1.1, byte for byte", from: client, to: "server.shop:80", allowed: "server", status: 418,
			request: &verdict.Request{Path: "/A;b/%20/?d=%41", Headers: []verdict.Header{{Name: "X-Echo-Status", Value: "418"}, {Name: "x-twice", Value: "1"}, {Name: "x-twice", Value: "2"}}},
			check: func(t *testing.T, said verdict.Echo) {
				if said.Path != "/A;b/%20/?d=%41" || !slices.Equal(said.Headers["x-twice"], []string{"1", "2"}) || said.Host != "server.shop:80" {
					t.Errorf("the server got %+v", said)
				}
			}},
		{name: "HEAD", from: client, to: "server.shop:80", request: &verdict.Request{Method: "HEAD", Path: "/"}, allowed: "server", status: 200},
		{name: "HTTP/1.0 is refused by Envoy", from: client, to: "server.shop:80", request: &verdict.Request{Protocol: "HTTP/1.0", Path: "/"}, status: 426},
		{name: "h2c with a long body", from: client, to: "server.shop:80", request: &verdict.Request{Protocol: "h2c", Method: "PUT", Path: "/", Body: 300_000}, allowed: "server", status: 200,
			check: func(t *testing.T, said verdict.Echo) {
				if said.Body != 300_000 || said.Protocol != "HTTP/2.0" {
					t.Errorf("the server got %+v", said)
				}
			}},
		{name: "gRPC", from: client, to: "server.shop:81", request: &verdict.Request{Protocol: "grpc", Path: "/grpc.health.v1.Health/Check"}, allowed: "server", status: 200,
			check: func(t *testing.T, said verdict.Echo) {
				if said.Protocol != "grpc" || said.Port != 8081 {
					t.Errorf("the server got %+v", said)
				}
			}},
		{name: "a websocket", from: client, to: "server.shop:80", request: &verdict.Request{Protocol: "websocket", Path: "/ws"}, allowed: "server", status: 101},
		{name: "TCP", from: client, to: "server.shop:9000", allowed: "server"},
		{name: "TCP, the server first", from: client, to: "server.shop:9001", allowed: "server",
			check: func(t *testing.T, said verdict.Echo) {
				if said.Protocol != "tcp-server-first" {
					t.Errorf("the server said %+v", said)
				}
			}},
		{name: "HTTP on a TCP port", from: client, to: "server.shop:9000", request: get("/"), allowed: "server"},
		{name: "TCP on an HTTP port", from: client, to: "server.shop:80", status: 400},
		{name: "a host of a StatefulSet", from: client, to: "db-1.db.shop:3306", allowed: "db",
			check: func(t *testing.T, said verdict.Echo) {
				if said.Pod != "db-1" {
					t.Errorf("%s answered", said.Pod)
				}
			}},
		{name: "no endpoints, in the mesh", from: client, to: "nobody.shop:80", request: get("/")},
		{name: "no endpoints, without a sidecar", from: stranger, to: "nobody.outside:80", request: get("/"), reason: "refused"},
		{name: "no such port, without a sidecar", from: stranger, to: "stranger.outside:81", request: get("/"), reason: "refused"},
		{name: "no such address", from: stranger, to: "192.0.2.1:80", request: get("/"), reason: "no way"},
		{name: "no way to the machine", from: stranger, to: "169.254.1.1:80", request: get("/"), reason: "refused"},
		{name: "outside of the mesh, by cluster IP", from: stranger, to: "stranger.outside:80", request: get("/"), allowed: "stranger", status: 200},
		{name: "outside of the mesh, by IPv6", from: stranger, to: netip.AddrPortFrom(ipv6, 8080).String(), request: get("/"), allowed: "stranger", status: 200},
		{name: "a stranger in plaintext", from: stranger, to: "server.shop:80", request: get("/"), reason: "the connection was"},
		{name: "a stranger past the service", from: stranger, to: netip.AddrPortFrom(r.addressOf(t, "shop/server-0", netip.Addr.Is4), 9000).String(), reason: "the connection was"},
		{name: "a stranger past the service, by IPv6", from: stranger, to: netip.AddrPortFrom(r.addressOf(t, "shop/server-0", netip.Addr.Is6), 9000).String(), reason: "the connection was"},
		{name: "a stranger at the sidecar's administration", from: stranger, to: netip.AddrPortFrom(r.addressOf(t, "shop/server-0", netip.Addr.Is4), 15000).String(), request: get("/stats")},
	})
}

// addressOf is an address of a pod.
func (r *running) addressOf(t *testing.T, pod string, family func(netip.Addr) bool) netip.Addr {
	t.Helper()
	pods, err := r.Pods(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods {
		if p.Namespace+"/"+p.Pod == pod {
			return p.Addresses[slices.IndexFunc(p.Addresses, family)]
		}
	}
	t.Fatalf("there is no pod %s", pod)
	return netip.Addr{}
}

// A virtual address leads to all of its endpoints, and to the caller itself as well.
func TestVirtualAddressIsSpread(t *testing.T) {
	r := up(t, "testdata/protocols.yaml")
	reached := map[string]bool{}
	for range 60 {
		answer := r.ask(t, "outside/stranger-0", "stranger.outside:80", get("/"))
		if !answer.Allowed {
			t.Fatalf("refused: %s", answer.Reason)
		}
		reached[answer.Echo.Pod] = true
	}
	if len(reached) != 2 {
		t.Errorf("only %v answered", reached)
	}
	out, code := r.exec("outside/stranger-0", "getent", "ahostsv6", "stranger")
	if code != 0 || !strings.Contains(out, "2001:db8:") {
		t.Errorf("its name has no IPv6 address: %s", out)
	}
}
