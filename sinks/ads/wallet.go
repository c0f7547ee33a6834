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

// purse is the secrets of a class. What is secret is in no field that can be printed.
type purse struct {
	*table
	// certificate and trust are the versions of what it was filled with; missing says that a certificate is not there yet.
	certificate, trust string
	missing            bool
	wires              map[string]func() []byte
}

// purse fills the slots of a target, those of its own identity alone. A certificate that is not there yet has no version,
// and is being fetched. As long as nothing changes it is the same purse.
func (w *wallet) purse(t *target) *purse {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := &certificate{}
	for slot := range t.slots.Values() {
		if slot.Kind == compiler.CertificateSlot && slot.Identity == t.identity {
			own = w.certificate(t.identity)
		}
	}
	trust := w.trustBundle()
	if last := t.purse.Load(); last != nil && last.certificate == own.version && last.trust == trust {
		return last
	}
	p := &purse{certificate: own.version, trust: trust, wires: make(map[string]func() []byte, t.slots.Len())}
	var list []*compiler.Resource
	for slot := range t.slots.Values() {
		version, fill := trust, fillTrust(w.trust)
		switch {
		case slot.Kind == compiler.TrustSlot:
		case slot.Kind == compiler.CertificateSlot && slot.Identity == t.identity:
			version, fill = own.version, own.fill
		default:
			continue
		}
		p.missing = p.missing || version == ""
		p.wires[slot.Name] = sync.OnceValue(func() []byte { return wireOf(slot.Name, fill) })
		list = append(list, &compiler.Resource{Type: kindURLs[secrets], Name: slot.Name, Version: version})
	}
	p.table = newTable(model.ListOf(list...))
	t.purse.Store(p)
	return p
}

// wire is the wire form of a secret, which is made once for all proxies of the class.
func (p *purse) wire(name string) []byte { return p.wires[name]() }

func wireOf(name string, fill func(*tlsv3.Secret)) []byte {
	secret := &tlsv3.Secret{Name: name}
	fill(secret)
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(secret)
	if err != nil {
		panic("ads: a secret cannot be marshalled") // and the error is not told: it could quote the secret
	}
	return b
}

// trustBundle is the version of the trust bundle; empty when there is none.
func (w *wallet) trustBundle() string {
	if w.credentials != nil && w.trustVersion == "" {
		w.trust = w.credentials.Trust()
		w.trustVersion = hash(w.trust)
	}
	return w.trustVersion
}

func fillTrust(trust []byte) func(*tlsv3.Secret) {
	return func(s *tlsv3.Secret) {
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
func (w *wallet) certificate(identity model.Identity) *certificate {
	c, ok := w.certificates[identity]
	if !ok {
		c = &certificate{}
		w.certificates[identity] = c
	}
	if c.version == "" && w.now().Sub(c.failedAt) >= fetchAgain {
		w.fetch(identity, c)
	}
	return c
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
