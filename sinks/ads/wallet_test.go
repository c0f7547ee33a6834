package ads

import (
	"context"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// slowCredentials give out a certificate when they are told to.
type slowCredentials struct{ ready chan struct{} }

func (c slowCredentials) Certificate(ctx context.Context, _ model.Identity) ([]byte, sinks.PrivateKey, error) {
	select {
	case <-c.ready:
		return []byte("chain"), slowKey{}, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func (slowCredentials) Trust() []byte { return []byte("trust") }

type slowKey struct{}

func (slowKey) PEM() []byte { return nil }

// Nobody has settled while a renewed certificate is on its way: whoever replaces a root would go on too early.
func TestACertificateOnItsWayIsNotSettled(t *testing.T) {
	identity := model.Identity{Namespace: "shop", ServiceAccount: "web"}
	credentials := slowCredentials{make(chan struct{})}
	server := NewServer(Options{Credentials: credentials})
	if !server.Settled() {
		t.Fatal("a server without proxies has not settled")
	}
	arrived := make(chan struct{}, 2)
	server.wallet.arrived = func(model.Identity) { arrived <- struct{}{} }
	server.wallet.mu.Lock()
	server.wallet.certificate(identity)
	server.wallet.mu.Unlock()
	for _, step := range []string{"the first", "a renewed"} {
		if server.Settled() {
			t.Errorf("%s certificate is on its way", step)
		}
		credentials.ready <- struct{}{}
		select {
		case <-arrived:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s certificate does not arrive", step)
		}
		if !server.Settled() {
			t.Errorf("%s certificate is there", step)
		}
		server.Renewed(identity)
	}
	close(credentials.ready)
	<-arrived
}
