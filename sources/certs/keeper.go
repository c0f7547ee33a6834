package certs

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// Keeper keeps the certificate of each identity, and the trust bundle. Run renews them. It can be used from several
// goroutines.
type Keeper struct {
	options Options
	// woken has a token when Run shall look again.
	woken chan struct{}
	// turning is held while a step of a rotation is made.
	turning sync.Mutex

	// mu guards what follows, and is never held while something else is called.
	mu       sync.Mutex
	declared []model.Root
	terms    terms
	// applied says that it is known what the mesh is, and begun that there is an authority.
	applied, begun bool
	state          State
	// untold counts the changes that nobody was told of yet.
	untold int
	// since is when the proxies were told of the present state, and restless when they last had not acknowledged everything.
	since, restless time.Time
	// until is when Run looks again.
	until time.Time
	// complained is the failure to renew that was logged last.
	complained  string
	authorities map[model.Root]opened
	attempts    map[model.Root]attempt
	trust       []byte
	leaves      map[model.Identity]*leaf
}

// terms are what certificates are issued on. A certificate on other terms than the present is issued anew.
type terms struct {
	root        model.Root
	trustDomain string
	validity    time.Duration
	keyBits     int
}

// NewKeeper makes a Keeper of a mesh without identities. It certifies nobody before Apply was called.
func NewKeeper(options Options) *Keeper {
	return &Keeper{
		options:     options.withDefaults(),
		woken:       make(chan struct{}, 1),
		authorities: map[model.Root]opened{},
		attempts:    map[model.Root]attempt{},
		leaves:      map[model.Identity]*leaf{},
	}
}

// usualValidity is how long certificates are valid when the settings do not say.
const usualValidity = 24 * time.Hour

// Apply says what the mesh is now. Identities that are gone are forgotten. The first time it opens the authorities, so
// that there is a trust bundle when it returns, unless they cannot be opened; after that Run does what there is to do.
func (k *Keeper) Apply(ctx context.Context, settings model.Settings, identities []model.Identity) {
	k.mu.Lock()
	k.declared = slices.Collect(settings.Roots.Values())
	k.terms.trustDomain = settings.TrustDomain
	k.terms.validity = cmp.Or(settings.ControlPlane.CertificateValidity, usualValidity)
	k.terms.keyBits = settings.ControlPlane.KeyBits
	k.forget(identities)
	k.applied = true
	begun := k.begun
	k.mu.Unlock()
	if !begun {
		k.turn(ctx)
	}
	k.wake()
}

func (k *Keeper) forget(identities []model.Identity) {
	wanted := map[model.Identity]bool{}
	for _, identity := range identities {
		wanted[identity] = true
	}
	for identity := range k.leaves {
		if !wanted[identity] {
			delete(k.leaves, identity)
		}
	}
}

func (k *Keeper) wake() {
	select {
	case k.woken <- struct{}{}:
	default:
	}
}

// Certificate is the certificate of an identity in PEM, leaf first, and its key. It is issued when it is first asked for,
// and the same until it is renewed. Callers that ask at once share one.
func (k *Keeper) Certificate(ctx context.Context, identity model.Identity) (chain []byte, key PrivateKey, err error) {
	f := k.ask(ctx, identity, newFlight())
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("certify %s: %w", identity, ctx.Err())
	}
	if f.err != nil {
		return nil, nil, f.err
	}
	return f.held.chain, f.held.key(), nil
}

// Issue makes a certificate that is not kept: for what a proxy starts with, before anything can be sent to it. It is of the
// root that signs now; trust is the bundle.
func (k *Keeper) Issue(ctx context.Context, identity model.Identity, trustDomain string, validity time.Duration) (chain []byte, key PrivateKey, trust []byte, err error) {
	k.mu.Lock()
	authority, bundle, why := k.authorities[k.terms.root].Authority, k.trust, k.closed()
	begun := k.begun
	k.mu.Unlock()
	if !begun {
		return nil, nil, nil, fmt.Errorf("certify %s: %w", identity, why)
	}
	chain, key, _, err = authority.Issue(ctx, identity, trustDomain, validity)
	return chain, key, bundle, err
}

// owe counts changes that somebody is to be told of. Until he was told, he cannot have settled for them.
func (k *Keeper) owe(changes int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.untold += changes
}

// Trust is the trust bundle in PEM: one root or several. It is empty until an authority could be opened.
func (k *Keeper) Trust() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.trust
}

// Signer is the part of the trust bundle that signs now, in PEM. It is empty until an authority could be opened.
func (k *Keeper) Signer() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.begun {
		return nil
	}
	return k.authorities[k.terms.root].Trust()
}

// State is where the rotation stands: a value to look at, and to keep for Options.Resume.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// Status is a certificate in use, without its key.
type Status struct {
	Identity model.Identity `json:"identity"`
	URI      string         `json:"uri"`
	Serial   string         `json:"serial"`
	// Issuer is the name of the root, or the subject of the control plane's own.
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Renewal   time.Time `json:"renewal,omitzero"`
}

// Certificates are the certificates that are kept, by identity.
func (k *Keeper) Certificates() []Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []Status
	for identity, l := range k.leaves {
		if l.held != nil {
			all = append(all, l.held.status(identity))
		}
	}
	slices.SortFunc(all, func(a, b Status) int { return a.Identity.Compare(b.Identity) })
	return all
}

const shown = "certs.Keeper"

// Format implements fmt.Formatter, for every verb: a Keeper shows nothing of what it holds.
func (k *Keeper) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, shown) }

// MarshalText implements encoding.TextMarshaler.
func (k *Keeper) MarshalText() ([]byte, error) { return []byte(shown), nil }

// LogValue implements slog.LogValuer.
func (k *Keeper) LogValue() slog.Value { return slog.StringValue(shown) }
