package ads

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// wallet fills the slots of classes with certificates and trusted roots. Certificates are fetched beside the streams,
// which an authority that is far away must not hold up.
type wallet struct {
	credentials sinks.Credentials
	now         func() time.Time
	// arrived is called when the certificate of an identity is there or is another, failed when there is none.
	arrived func(model.Identity)
	failed  func(model.Identity, error)
	// fetching bounds how many certificates are fetched at once.
	fetching chan struct{}

	mu           sync.Mutex
	certificates map[model.Identity]*certificate
	trust        []byte
	trustVersion string
}

// certificate is the certificate of an identity, once it is there.
type certificate struct {
	// version is the SHA-256 of the chain. The key is not in it: with another key the chain is another.
	version string
	fill    func(*tlsv3.Secret)
	// fetching says that one is on its way, stale that it is to be fetched once more then.
	fetching, stale bool
	failedAt        time.Time
}

// fetchAgain is how long after a failure a certificate is asked for again, fetchWithin how long one may take.
const (
	fetchAgain  = 5 * time.Second
	fetchWithin = time.Minute
)

func newWallet(credentials sinks.Credentials, now func() time.Time) *wallet {
	return &wallet{
		credentials: credentials, now: now, certificates: map[model.Identity]*certificate{},
		fetching: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
	}
}

// purse is the secrets of one proxy. What is secret is made when it is sent, and is in no field.
type purse struct {
	*table
	fills map[string]func(*tlsv3.Secret)
}

// purse fills the slots of a target, those of its own identity alone. A certificate that is not there yet has no version,
// and is being fetched.
func (w *wallet) purse(t *target) purse {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := purse{fills: make(map[string]func(*tlsv3.Secret), t.slots.Len())}
	var list []*compiler.Resource
	for slot := range t.slots.Values() {
		version, fill := "", (func(*tlsv3.Secret))(nil)
		switch {
		case slot.Kind == compiler.TrustSlot:
			version, fill = w.trustBundle()
		case slot.Kind == compiler.CertificateSlot && slot.Identity == t.identity:
			version, fill = w.certificate(t.identity)
		default:
			continue
		}
		p.fills[slot.Name] = fill
		list = append(list, &compiler.Resource{Type: kindURLs[secrets], Name: slot.Name, Version: version})
	}
	p.table = newTable(model.ListOf(list...))
	return p
}

// missing says whether a certificate is not there yet.
func (p purse) missing() bool {
	for r := range p.resources.Values() {
		if r.Version == "" {
			return true
		}
	}
	return false
}

// wire is the wire form of a secret.
func (p purse) wire(name string) []byte {
	secret := &tlsv3.Secret{Name: name}
	p.fills[name](secret)
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(secret)
	if err != nil {
		panic("ads: a secret cannot be marshalled") // and the error is not told: it could quote the secret
	}
	return b
}

func (w *wallet) trustBundle() (string, func(*tlsv3.Secret)) {
	if w.credentials == nil {
		return "", nil
	}
	if w.trustVersion == "" {
		w.trust = w.credentials.Trust()
		w.trustVersion = hash(w.trust)
	}
	trust := w.trust
	return w.trustVersion, func(s *tlsv3.Secret) {
		s.Type = &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{TrustedCa: inline(trust)}}
	}
}

// trustChanged has the trust bundle taken anew.
func (w *wallet) trustChanged() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trustVersion = ""
}

// certificate is that of an identity; without version when it is not there yet.
func (w *wallet) certificate(identity model.Identity) (string, func(*tlsv3.Secret)) {
	c, ok := w.certificates[identity]
	if !ok {
		c = &certificate{}
		w.certificates[identity] = c
	}
	if c.version == "" && w.now().Sub(c.failedAt) >= fetchAgain {
		w.fetch(identity, c)
	}
	return c.version, c.fill
}

// renewed has the certificate of an identity fetched again, if anybody uses it.
func (w *wallet) renewed(identity model.Identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.certificates[identity]; ok {
		c.stale = c.fetching
		w.fetch(identity, c)
	}
}

// busy says whether a certificate is on its way.
func (w *wallet) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	//ordered: one is enough
	for _, c := range w.certificates {
		if c.fetching {
			return true
		}
	}
	return false
}

// forget drops the certificate of an identity.
func (w *wallet) forget(identity model.Identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.certificates, identity)
}

func (w *wallet) fetch(identity model.Identity, c *certificate) {
	if c.fetching || w.credentials == nil {
		return
	}
	c.fetching = true
	go func() {
		w.fetching <- struct{}{}
		defer func() { <-w.fetching }()
		for w.fetchOnce(identity, c) {
			continue
		}
	}()
}

// fetchOnce says whether the certificate has to be fetched again, as it was renewed meanwhile.
func (w *wallet) fetchOnce(identity model.Identity, c *certificate) (again bool) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchWithin)
	defer cancel()
	chain, key, err := w.credentials.Certificate(ctx, identity)
	w.mu.Lock()
	if again, c.stale = c.stale, false; again {
		w.mu.Unlock()
		return true
	}
	c.fetching = false
	if err != nil {
		c.failedAt = w.now()
		w.mu.Unlock()
		w.failed(identity, err)
		return false
	}
	c.version, c.failedAt = hash(chain), time.Time{}
	c.fill = func(s *tlsv3.Secret) {
		s.Type = &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
			CertificateChain: inline(chain), PrivateKey: inline(key.PEM()),
		}}
	}
	w.mu.Unlock()
	w.arrived(identity)
	return false
}

func inline(b []byte) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: b}}
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
