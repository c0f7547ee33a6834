package certs

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// Authority certifies identities.
type Authority interface {
	// Issue makes a new key for the identity and a certificate of it that is valid for the given time, or shorter where
	// the authority itself ends sooner. Its only name is identity.URI(trustDomain). Chain (leaf first) and trust are PEM.
	Issue(ctx context.Context, identity model.Identity, trustDomain string, validity time.Duration) (chain []byte, key PrivateKey, trust []byte, err error)
	// Trust is what to trust of whoever has a certificate of this authority, in PEM.
	Trust() []byte
}

// PrivateKey is a private key that shows itself only when asked to, by PEM (PKCS #8).
type PrivateKey = interface{ PEM() []byte }

// Options are what a Keeper works with. Only Open must be there. No function is called while a lock is held.
type Options struct {
	// Open opens an authority whose new keys have the given size: RSA in bits, 0 is ECDSA P-256. The zero Root is the
	// authority that the control plane keeps. It is called again, with pauses, when it fails.
	Open func(ctx context.Context, root model.Root, keyBits int) (Authority, error)
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Jitter spreads renewals: numbers from 0 up to 1; random ones if nil.
	Jitter func() float64
	// Changed is told that the certificates of these identities, or the trust bundle, are other ones now.
	Changed func(identities []model.Identity, trust bool)
	// Settled says whether every connected proxy has acknowledged the newest certificates and trust bundle. It must not
	// say so of what is older than the last call of Changed: what was told there is awaited from then on. It counts when it
	// has been so for a second. Nil means that there is nobody to wait for.
	Settled func() bool
	// Issued is told of every attempt to issue a certificate, and Rotated of every step of a rotation.
	Issued  func(Issued)
	Rotated func(Step)
	Log     *slog.Logger
	// Resume is where the rotation stood when the control plane last ran, as Keeper.State told after a step; the zero State
	// if that is not known. Without it, roots of which the settings say nothing any more are not trusted after a restart.
	Resume State
	// Patience is how long a step of a rotation waits for acknowledgements; 0 is 5 minutes. Then it goes on without them.
	Patience time.Duration
}

// Issued is an attempt to issue a certificate. It does not say whose, so that the number of different ones is bounded.
type Issued struct {
	// Reason is first, renewal, or change: of the root, the trust domain, or the settings of certificates.
	Reason string
	Took   time.Duration
	// Err is nil when there is a certificate.
	Err error
}

// The reasons to issue a certificate.
const (
	ReasonFirst   = "first"
	ReasonRenewal = "renewal"
	ReasonChange  = "change"
)

const usualPatience = 5 * time.Minute

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Changed == nil {
		o.Changed = func([]model.Identity, bool) {}
	}
	if o.Settled == nil {
		o.Settled = func() bool { return true }
	}
	if o.Issued == nil {
		o.Issued = func(Issued) {}
	}
	if o.Rotated == nil {
		o.Rotated = func(Step) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Patience = cmp.Or(o.Patience, usualPatience)
	return o
}
