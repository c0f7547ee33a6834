package ads

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/flomesh-io/fsmc/model"
)

// TestAStreamEndsWithItsCertificate: and who comes with the next one is let in, and sent nothing that he has.
func TestAStreamEndsWithItsCertificate(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	journal := &journal{}
	server, address := serving(t, a, Options{Log: journal.logger()})
	publish(t, server, newShop("web").snapshot())
	until := time.Now().Add(3 * time.Second)
	c := followAs(t, dial(t, address, a.client(a.issue(buyer.URI(trustDomain), until))), buyerProxy, nil, nil)
	eventually(t, "the proxy is settled", func() bool { return len(server.Proxies()) == 1 && server.Settled() })
	<-c.done
	if status.Code(c.err) != codes.Unauthenticated {
		t.Errorf("the stream ends with %v", c.err)
	}
	if now := time.Now(); now.Before(until.Add(-12 * time.Minute)) {
		t.Errorf("the stream ends at %s, long before %s", now, until)
	}
	if said := journal.String(); said != "" {
		t.Errorf("what is in order is told: %s", said)
	}
	again := followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, nil)
	eventually(t, "the proxy is back", func() bool { return len(server.Proxies()) == 1 && server.Settled() })
	select {
	case <-again.done:
		t.Errorf("the next stream ends with %v", again.err)
	default:
	}
}

// TestLeases spread over the last tenth of a certificate's life, and are never beyond its end.
func TestLeases(t *testing.T) {
	t.Parallel()
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	leaf := &x509.Certificate{NotBefore: began, NotAfter: began.Add(10 * time.Hour)}
	first, last := leaf.NotAfter, began
	for i := range 1000 {
		id := model.ProxyID{Namespace: "shop", Name: fmt.Sprint("pod-", i)}
		end := lease(leaf, id, began)
		if first.After(end) {
			first = end
		}
		if last.Before(end) {
			last = end
		}
		if again := lease(leaf, id, end); !again.Equal(leaf.NotAfter) {
			t.Errorf("who comes again with the old certificate at %s may stay until %s", end, again)
		}
	}
	if early, most := leaf.NotAfter.Sub(first), leaf.NotAfter.Sub(last); early > time.Hour || early < 59*time.Minute || most > time.Minute || most < 0 {
		t.Errorf("1000 leases end from %s to %s before the certificate", early, most)
	}
}

// TestClientsAreVerifiedByTheClock of the server.
func TestClientsAreVerifiedByTheClock(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	const ahead = 2 * time.Hour
	server, address := serving(t, a, Options{Now: func() time.Time { return time.Now().Add(ahead) }})
	publish(t, server, newShop("web").snapshot())
	outdated := followAs(t, dial(t, address, a.client(a.issue(buyer.URI(trustDomain), time.Now().Add(time.Hour)))), buyerProxy, nil, nil)
	<-outdated.done
	if outdated.err == nil || errors.Is(outdated.err, errOutlived) || len(server.Proxies()) > 0 {
		t.Errorf("who is out of date for the server is let in, and ends with %v", outdated.err)
	}
	followAs(t, dial(t, address, a.client(a.issue(buyer.URI(trustDomain), time.Now().Add(ahead+time.Hour)))), buyerProxy, nil, nil)
	eventually(t, "who is valid is let in", func() bool { return len(server.Proxies()) == 1 })
}
