package local

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestImpossiblePlans(t *testing.T) {
	envoy, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address := []netip.Addr{netip.MustParseAddr("100.64.0.1")}
	for _, c := range []struct {
		name string
		plan Plan
		want string
	}{
		{"nothing", Plan{Envoy: envoy}, "there is no pod"},
		{"no Envoy", Plan{Envoy: "/no/such/envoy", Pods: []Pod{{Addresses: address}}}, "cannot run Envoy"},
		{"no address", Plan{Envoy: envoy, Pods: []Pod{{Namespace: "a", Name: "b"}}}, "pod a/b has no address"},
		{"one address twice", Plan{Envoy: envoy, Pods: []Pod{{Namespace: "a", Name: "b", Addresses: address}, {Namespace: "a", Name: "c", Addresses: address}}}, "pods a/b and a/c have one address, 100.64.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := check(c.plan); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
