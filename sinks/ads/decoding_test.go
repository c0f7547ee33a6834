package ads

import (
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// TestTheShortCutReadsTheSame reads random requests, whole and damaged, by both ways.
func TestTheShortCutReadsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := append(randomRequest(t, "first"), randomRequest(t, "second")...) // which is one message, as the fields are
		for range rapid.IntRange(0, 2).Draw(t, "damages") {
			if len(b) > 0 {
				b[rapid.IntRange(0, len(b)-1).Draw(t, "where")] = rapid.Byte().Draw(t, "what")
			}
		}
		readsTheSame(t, b)
	})
}

func FuzzTheShortCut(f *testing.F) {
	for _, m := range []*discoveryv3.DeltaDiscoveryRequest{
		{TypeUrl: kindURLs[clusters], ResponseNonce: "12"},
		{TypeUrl: kindURLs[endpoints], ResourceNamesSubscribe: []string{"a"}, InitialResourceVersions: map[string]string{"b": "c"}},
	} {
		f.Add(marshalled(f, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) { readsTheSame(t, b) })
}

type faulty interface{ Fatalf(string, ...any) }

func readsTheSame(t faulty, b []byte) {
	got, failed := deltaRequest(b)
	want, should := anyRequest(b)
	if (failed == nil) != (should == nil) || failed != nil && failed.Error() != should.Error() {
		t.Fatalf("%x: %v, and should be %v", b, failed, should)
	}
	if should != nil {
		return
	}
	if difference := cmp.Diff(want, got, cmp.AllowUnexported(request{}), cmpopts.EquateEmpty()); difference != "" {
		t.Fatalf("%x: %s", b, difference)
	}
}

func randomRequest(t *rapid.T, label string) []byte {
	some := func(what string) []string {
		return rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "shop/web|80", "ä", anything}), 0, 3).Draw(t, label+" "+what)
	}
	m := &discoveryv3.DeltaDiscoveryRequest{
		TypeUrl:                  rapid.SampledFrom(append(kindURLs[:], "", "another")).Draw(t, label+" type"),
		ResponseNonce:            rapid.SampledFrom([]string{"", "0", "1", "007", "12", "-1", "+5", "x", "123456789", "1234567890"}).Draw(t, label+" nonce"),
		ResourceNamesSubscribe:   some("subscribe"),
		ResourceNamesUnsubscribe: some("unsubscribe"),
	}
	for _, name := range some("versions") {
		if m.InitialResourceVersions == nil {
			m.InitialResourceVersions = map[string]string{}
		}
		m.InitialResourceVersions[name] = rapid.SampledFrom([]string{"", "v1"}).Draw(t, label+" version")
	}
	if rapid.IntRange(0, 4).Draw(t, label+" has a node") == 0 {
		m.Node = &corev3.Node{Id: "shop/buyer-0"}
	}
	if rapid.IntRange(0, 4).Draw(t, label+" is a refusal") == 0 {
		m.ErrorDetail = &rpcstatus.Status{Message: "no"}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}

// TestAcknowledgementsAreReadInPlace: the request that there is most of takes the short cut, and no memory.
func TestAcknowledgementsAreReadInPlace(t *testing.T) {
	b := marshalled(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: kindURLs[routes], ResponseNonce: "42"})
	if r, ok := plainRequest(b); !ok || r.nonce != 42 || r.kind != routes {
		t.Errorf("%+v", r)
	}
	if n := testing.AllocsPerRun(100, func() { plainRequest(b) }); n > 0 {
		t.Errorf("it takes memory %.0f times", n)
	}
}
