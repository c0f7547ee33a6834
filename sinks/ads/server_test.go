package ads

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// served is a server, and a proxy that follows it.
func served(t testing.TB, mesh shop, id model.ProxyID, identity model.Identity, options Options) (*Server, *authority, *follower) {
	t.Helper()
	a := newAuthority(t)
	server, address := serving(t, a, options)
	publish(t, server, mesh.snapshot())
	f := followAs(t, dial(t, address, a.client(a.of(identity))), id, nil, nil)
	eventually(t, "the proxy is settled", func() bool { return len(server.Proxies()) == 1 && server.Settled() })
	return server, a, f
}

// TestAProxyGetsItsClass compares what comes over the wire with the class, bytes and versions.
func TestAProxyGetsItsClass(t *testing.T) {
	t.Parallel()
	mesh := newShop("web", "books")
	_, a, f := served(t, mesh, sellerProxy, seller, Options{})
	class := classOf(t, mesh.snapshot(), sellerProxy)
	for k, list := range map[kind]model.List[*compiler.Resource]{
		clusters: class.Clusters, endpoints: class.Endpoints, routes: class.Routes, listeners: class.Listeners,
	} {
		if len(f.has[k]) != list.Len() {
			t.Errorf("it has %d %s and should have %d", len(f.has[k]), k, list.Len())
		}
		for want := range list.Values() {
			got := f.has[k][want.Name]
			if got.GetVersion() != want.Version || got.GetResource().GetTypeUrl() != want.Type || string(got.GetResource().GetValue()) != string(want.Bytes) {
				t.Errorf("%s %s is another", k, want.Name)
			}
		}
	}
	secret := &tlsv3.Secret{}
	if err := proto.Unmarshal(f.has[secrets]["service-cert"].GetResource().GetValue(), secret); err != nil {
		t.Fatal(err)
	}
	own := a.of(seller)
	if got := secret.GetTlsCertificate(); string(got.GetCertificateChain().GetInlineBytes()) != string(own.chain) || string(got.GetPrivateKey().GetInlineBytes()) != string(own.key.PEM()) {
		t.Error("the certificate is not its own")
	}
}

// TestSecretsOfOthersCannotBeGot asks for whatever could be a name.
func TestSecretsOfOthersCannotBeGot(t *testing.T) {
	t.Parallel()
	_, a, f := served(t, newShop("web"), thiefProxy, thief, Options{})
	names := []string{"service-cert", "service-cert:shop/seller", seller.String(), seller.URI(trustDomain), "shop/seller~", "root-cert-for-mtls-outbound"}
	if err := f.stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: kindURLs[secrets], ResourceNamesSubscribe: names}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is answered", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.ContainsFunc(f.received, func(r received) bool { return slices.Contains(r.removed, seller.String()) })
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, r := range f.has[secrets] { //ordered: each is looked at by itself
		if p, ok := a.pairs[seller]; ok && strings.Contains(string(r.GetResource().GetValue()), string(p.chain)) {
			t.Errorf("secret %s is of another", name)
		}
	}
	if a.asked[seller] > 0 {
		t.Error("a certificate of another was asked for")
	}
}

// TestASecondStreamGetsOnlyTheCertificate: after a restart, or at another replica, a proxy that tells what it has gets
// nothing but the certificate whose key was lost.
func TestASecondStreamGetsOnlyTheCertificate(t *testing.T) {
	t.Parallel()
	mesh := newShop("web", "books")
	_, a, f := served(t, mesh, buyerProxy, buyer, Options{})
	f.stop()
	certificate := a.of(buyer)
	a.renew(buyer)
	again, address := serving(t, a, Options{})
	publish(t, again, mesh.snapshot())
	g := followAs(t, dial(t, address, a.client(certificate)), buyerProxy, f, nil)
	eventually(t, "the proxy is settled", func() bool { return len(again.Proxies()) == 1 && again.Settled() })
	want := []received{{kind: secrets, names: []string{"service-cert"}}}
	if difference := cmp.Diff(want, g.heard(), cmp.AllowUnexported(received{})); difference != "" {
		t.Errorf("it gets %s", difference)
	}
}

// TestWhatWasRemovedMeanwhile: what a proxy has from an earlier stream, and should not have any more, goes.
func TestWhatWasRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	_, a, f := served(t, newShop("web", "books"), buyerProxy, buyer, Options{})
	f.stop()
	again, address := serving(t, a, Options{Limits: Limits{Linger: time.Millisecond}})
	publish(t, again, newShop("web").snapshot())
	g := followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, f, nil)
	eventually(t, "the proxy is settled", func() bool { return len(again.Proxies()) == 1 && again.Settled() })
	if _, there := g.versions(clusters)["shop/books|80"]; there {
		t.Error("the cluster of a service that is gone is still there")
	}
}

// TestOnlyTheSecretIsPushed when a certificate is renewed, and when the trust bundle is another.
func TestOnlyTheSecretIsPushed(t *testing.T) {
	t.Parallel()
	counted := &events{}
	server, a, f := served(t, newShop("web"), buyerProxy, buyer, Options{Observe: counted.observe})
	f.heard()
	before := f.versions(secrets)
	a.renew(buyer)
	server.Renewed(buyer, seller)
	eventually(t, "there is another certificate", func() bool { return f.versions(secrets)["service-cert"] != before["service-cert"] && server.Settled() })
	a.mu.Lock()
	a.trust = slices.Concat(a.trust, newAuthority(t).trust)
	a.mu.Unlock()
	server.TrustChanged()
	const trust = "root-cert-for-mtls-outbound"
	eventually(t, "there is another bundle", func() bool { return f.versions(secrets)[trust] != before[trust] && server.Settled() })
	want := []received{{kind: secrets, names: []string{"service-cert"}}, {kind: secrets, names: []string{trust}}}
	if difference := cmp.Diff(want, f.heard(), cmp.AllowUnexported(received{})); difference != "" {
		t.Errorf("it gets %s", difference)
	}
	if n := counted.count(sinks.Pushed, sinks.PushCertificate); n < 2 {
		t.Errorf("%d pushes of certificates are counted", n)
	}
}

// TestAnAuthorityMayFail: the proxy gets the rest, and its certificate when there is one.
func TestAnAuthorityMayFail(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	log := &journal{}
	server, address := serving(t, a, Options{Log: log.logger()})
	certificate := a.of(buyer)
	a.renew(buyer)
	a.broken[buyer] = fmt.Errorf("the authority is away")
	publish(t, server, newShop("web").snapshot())
	f := followAs(t, dial(t, address, a.client(certificate)), buyerProxy, nil, nil)
	eventually(t, "it has the rest", func() bool { return len(f.versions(clusters)) > 0 && len(f.versions(listeners)) > 0 })
	eventually(t, "it is logged", func() bool { return strings.Contains(log.String(), "the authority is away") })
	if server.Settled() || f.versions(secrets)["service-cert"] != "" {
		t.Error("it is settled without a certificate")
	}
	a.renew(buyer)
	server.Renewed(buyer)
	eventually(t, "it has a certificate", func() bool { return f.versions(secrets)["service-cert"] != "" && server.Settled() })
}

// TestOneBadResourceBlocksNoOther: the others apply, the status tells which, why and from where, and it is sent again
// when it changes and not before.
func TestOneBadResourceBlocksNoOther(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	counted, log := &events{}, &journal{}
	server, address := serving(t, a, Options{Observe: counted.observe, Log: log.logger()})
	mesh := newShop("web", "books", "music")
	snapshot := mesh.snapshot()
	bad := ""
	for r := range classOf(t, snapshot, buyerProxy).Clusters.Values() {
		if r.Name == "shop/books|80" {
			bad = r.Version
		}
	}
	publish(t, server, snapshot)
	f := followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, func(r *discoveryv3.Resource) string {
		if r.Version == bad {
			return "books are bad"
		}
		return ""
	})
	eventually(t, "the proxy is settled", func() bool { return len(server.Proxies()) == 1 && server.Settled() })
	if has := f.versions(clusters); len(has) != 5 || len(f.versions(listeners)) != 1 {
		t.Errorf("it has clusters %v", has)
	}
	difference := server.Proxies()[0].Types[0].Differences
	if len(difference) != 1 || difference[0].Rejected != "books are bad" || difference[0].Sent != bad || len(difference[0].From) == 0 || difference[0].From[0].Kind != "Service" {
		t.Errorf("the status is %+v", difference)
	}
	for _, text := range []string{"books are bad", "resource=shop/books|80", "Service shop/books"} {
		if strings.Count(log.String(), text) != 1 {
			t.Errorf("%q is not logged once:\n%s", text, log)
		}
	}
	f.heard()
	mesh.services = append(mesh.services, "films")
	publish(t, server, mesh.snapshot())
	eventually(t, "there are films", func() bool { return f.versions(clusters)["shop/films|80"] != "" && server.Settled() })
	if slices.ContainsFunc(f.heard(), func(r received) bool { return r.kind == clusters && slices.Contains(r.names, "shop/books|80") }) {
		t.Error("what was rejected is sent again though it is the same")
	}
	if counted.count(sinks.Rejected, "") != 2 {
		t.Errorf("rejections are counted as %d", counted.count(sinks.Rejected, ""))
	}
}

// TestAProxyThatIsGone keeps its stream for a moment, for when it comes back, and no longer.
func TestAProxyThatIsGone(t *testing.T) {
	t.Parallel()
	server, _, f := served(t, newShop("web"), buyerProxy, buyer, Options{Limits: Limits{Gone: 20 * time.Millisecond}})
	without := newShop("web")
	without.absent = buyerProxy
	publish(t, server, without.snapshot())
	if err := f.ended(); status.Code(err) != codes.NotFound {
		t.Errorf("it ends with %v", err)
	}
	eventually(t, "it is forgotten", func() bool { return len(server.Proxies()) == 0 })
	if len(server.wallet.certificates) != 0 {
		t.Error("its certificate is kept")
	}
}

// TestAnotherClass: a proxy whose class changes goes over to it.
func TestAnotherClass(t *testing.T) {
	t.Parallel()
	mesh := newShop("web")
	server, _, f := served(t, mesh, buyerProxy, buyer, Options{Limits: Limits{Linger: time.Millisecond}})
	before := server.Proxies()[0].Class
	mesh.admitted = nil
	publish(t, server, mesh.snapshot())
	eventually(t, "it has nothing to call", func() bool { return len(f.versions(clusters)) == 0 && server.Settled() })
	t.Log(before, server.Proxies()[0].Class)
}

// TestDrainSpreads: streams end one after another, and nobody new is let in.
func TestDrainSpreads(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server, address := serving(t, a, Options{})
	mesh := newShop("web")
	mesh.buyers = 4
	publish(t, server, mesh.snapshot())
	var all []*follower
	for i := range mesh.buyers {
		all = append(all, followAs(t, dial(t, address, a.client(a.of(buyer))), model.ProxyID{Namespace: "shop", Name: fmt.Sprintf("buyer-%d", i)}, nil, nil))
	}
	eventually(t, "all are settled", func() bool { return len(server.Proxies()) == 4 && server.Settled() })
	ctx, cancel := contextFor(t, 400*time.Millisecond)
	defer cancel()
	began := time.Now()
	done := make(chan error, 1)
	go func() { done <- server.Drain(ctx) }()
	var ends []time.Duration
	for _, f := range all {
		if err := f.ended(); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "going away") {
			t.Errorf("a stream ends with %v", err)
		}
		ends = append(ends, time.Since(began))
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if spread := ends[3] - ends[0]; spread < 100*time.Millisecond {
		t.Errorf("they end within %s", spread)
	}
}
