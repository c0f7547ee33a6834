package ads

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// ServerTLS is how the control plane serves: in TLS 1.3, with the certificate of its own identity, for clients whose
// certificate leads to the trust bundle. Both are taken anew at each handshake, so that a renewal or another root
// takes effect without a restart; connections that are open stay until the client's certificate ends. Who the client is, an Authenticator finds out.
// An empty trust domain is whichever the credentials have: it can be another one after an edit.
func ServerTLS(c sinks.Credentials, self model.Identity, trustDomain string) *tls.Config {
	own := &ownCertificate{credentials: c, identity: self}
	if trustDomain != "" {
		own.uri = self.URI(trustDomain)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2"},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			pair, err := own.pair(hello.Context())
			if err != nil {
				return nil, fmt.Errorf("the control plane has no certificate: %w", err)
			}
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(c.Trust()) {
				return nil, errors.New("the control plane has no trust bundle")
			}
			return &tls.Config{
				MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
				Certificates: []tls.Certificate{pair},
				ClientCAs:    roots, ClientAuth: tls.RequireAndVerifyClientCert,
				// A resumed session would be let in by a certificate that was verified against the roots of then.
				SessionTicketsDisabled: true,
				// Small records at the beginning are for browsers that show what they have: here they are more packets.
				DynamicRecordSizingDisabled: true,
			}, nil
		},
	}
}

// timed is a configuration whose certificates are verified by a clock.
func timed(c *tls.Config, now func() time.Time) *tls.Config {
	c = c.Clone()
	c.Time = now
	if choose := c.GetConfigForClient; choose != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen != nil {
				chosen = timed(chosen, now)
			}
			return chosen, err
		}
	}
	return c
}

// lease is until when a stream may go on that was opened with a certificate: until its end. So that not all come again at
// once whose certificates were issued at once, it ends up to a tenth of the certificate's life earlier, by the name of the
// proxy, which has another one by then; who comes with the old one all the same may stay until the end.
func lease(leaf *x509.Certificate, id model.ProxyID, now time.Time) time.Time {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id.String()))
	spread := leaf.NotAfter.Sub(leaf.NotBefore) / 10
	early := leaf.NotAfter.Add(-time.Duration(float64(spread) * float64(h.Sum32()) / math.MaxUint32))
	if early.After(now) {
		return early
	}
	return leaf.NotAfter
}

// ownCertificate keeps the control plane's certificate parsed until it is another.
type ownCertificate struct {
	credentials sinks.Credentials
	identity    model.Identity
	// uri is the only name that it may have; empty when its trust domain is not known.
	uri string

	mu     sync.Mutex
	chain  []byte
	parsed tls.Certificate
}

func (o *ownCertificate) pair(ctx context.Context) (tls.Certificate, error) {
	chain, key, err := o.credentials.Certificate(ctx, o.identity)
	if err != nil {
		return tls.Certificate{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.chain != nil && bytes.Equal(chain, o.chain) {
		return o.parsed, nil
	}
	pair, err := tls.X509KeyPair(chain, key.PEM())
	if err != nil {
		return tls.Certificate{}, err
	}
	if uris := pair.Leaf.URIs; len(uris) != 1 || o.uri != "" && uris[0].String() != o.uri {
		return tls.Certificate{}, fmt.Errorf("it is for %v and not for %s", uris, cmp.Or(o.uri, o.identity.String()))
	}
	o.chain, o.parsed = bytes.Clone(chain), pair
	return pair, nil
}

// boundedHandshakes lets only so many handshakes be under way, counts those that fail, and says why.
type boundedHandshakes struct {
	credentials.TransportCredentials
	room   chan struct{}
	queues *queues
	failed func(reason string, err error)
}

var errTooMany = errors.New("too many connections of one address are in their handshake")

// ServerHandshake implements credentials.TransportCredentials. gRPC bounds it, with the time spent waiting.
func (b boundedHandshakes) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	leave := b.queues.enter(c.RemoteAddr())
	if leave == nil {
		b.failed("handshake", errTooMany)
		return nil, nil, errors.Join(errTooMany, c.Close())
	}
	defer leave()
	b.room <- struct{}{}
	defer func() { <-b.room }()
	conn, info, err := b.TransportCredentials.ServerHandshake(c)
	if err != nil {
		b.failed(handshakeReason(err), err)
	}
	return conn, info, err
}

// Clone implements credentials.TransportCredentials.
func (b boundedHandshakes) Clone() credentials.TransportCredentials {
	b.TransportCredentials = b.TransportCredentials.Clone()
	return b
}

// handshakeReason puts the causes of a failed handshake into a few words.
func handshakeReason(err error) string {
	var invalid x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	var unverified *tls.CertificateVerificationError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate-expired"
	case errors.As(err, &authority):
		return "certificate-unknown-authority"
	case errors.As(err, &unverified):
		return "certificate-invalid"
	case err.Error() == "tls: client didn't provide a certificate":
		return "no-certificate"
	}
	return "handshake"
}
