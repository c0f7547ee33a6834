package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// party is a proxy: the trust bundle and the certificate that it has taken.
type party struct {
	trust, chain, key []byte
}

// party is a proxy that has taken everything that there is now.
func (m *mesh) party() party {
	m.t.Helper()
	chain, key, err := m.Certificate(m.t.Context(), buyer)
	if err != nil {
		m.t.Fatal(err)
	}
	return party{trust: m.Trust(), chain: chain, key: key.PEM()}
}

// moments are what a proxy may have at each step of a rotation that one edit has started: before the step, and after.
func moments(t *testing.T) (list []party, when time.Time) {
	t.Helper()
	inMesh(t, func(_ *testing.T, m *mesh) {
		m.apply("oak*")
		list = append(list, m.party())
		m.settle(false)
		m.apply("birch*")
		for range 3 {
			time.Sleep(time.Minute)
			list = append(list, m.party())
			m.settle(true)
			time.Sleep(calm + calm/2)
			m.settle(false)
		}
		m.want("steps", []string{"begins", "trusts", "signs", "drops"}, m.kinds())
		when = m.clock()
	})
	return list, when
}

// Real connections, in both directions, between proxies of which each has or has not yet taken what a step sends. Two
// proxies make a connection, so that these are all the orders in which any number of them can take it.
func TestConnectionsSucceedAtEveryMomentOfARotation(t *testing.T) {
	list, when := moments(t)
	for step := 1; step < len(list); step++ {
		for _, client := range []int{step - 1, step} {
			for _, server := range []int{step - 1, step} {
				t.Run(fmt.Sprintf("step %d, client of %d, server of %d", step, client, server), func(t *testing.T) {
					if err := handshake(t, list[client], list[server], when); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

func TestWhoTrustsOnlyTheDroppedRootIsRefused(t *testing.T) {
	list, when := moments(t)
	old, now := list[0], list[len(list)-1]
	if err := handshake(t, old, now, when); err == nil {
		t.Error("an old client is let in")
	}
	if err := handshake(t, now, old, when); err == nil {
		t.Error("an old server is called")
	}
	stale := party{trust: now.trust, chain: old.chain, key: old.key}
	if err := handshake(t, stale, now, when); err == nil {
		t.Error("a certificate of the dropped root is let in")
	}
}

// handshake connects two proxies over loopback by mutual TLS, and sends a byte there and back.
func handshake(t *testing.T, client, server party, when time.Time) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			served <- err
			return
		}
		served <- echo(ctx, tls.Server(conn, server.config(t, when)))
	}()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return errors.Join(call(ctx, tls.Client(conn, client.config(t, when))), <-served)
}

func echo(ctx context.Context, conn *tls.Conn) error {
	defer func() { _ = conn.Close() }()
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	one := make([]byte, 1)
	if _, err := conn.Read(one); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	_, err := conn.Write(one)
	return err
}

func call(ctx context.Context, conn *tls.Conn) error {
	defer func() { _ = conn.Close() }()
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	// In TLS 1.3 the client learns with the first byte whether it is let in.
	one := []byte{1}
	if _, err := conn.Write(one); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if _, err := conn.Read(one); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return nil
}

// config is how a sidecar does it on both sides: the peer's certificate leads to the trust bundle, and its only name is a URI.
func (p party) config(t *testing.T, when time.Time) *tls.Config {
	t.Helper()
	pair, err := tls.X509KeyPair(p.chain, p.key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(p.trust)
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert,
		InsecureSkipVerify: true, //nolint:gosec // The chain is verified below; there is no DNS name to look at.
		VerifyConnection: func(state tls.ConnectionState) error {
			return verify(state.PeerCertificates, pool, when)
		},
	}
}

func verify(chain []*x509.Certificate, pool *x509.CertPool, when time.Time) error {
	options := x509.VerifyOptions{Roots: pool, CurrentTime: when, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if _, err := chain[0].Verify(options); err != nil {
		return err
	}
	if uri := buyer.URI("cluster.local"); len(chain[0].URIs) != 1 || chain[0].URIs[0].String() != uri {
		return fmt.Errorf("the peer is %v", chain[0].URIs)
	}
	return nil
}
