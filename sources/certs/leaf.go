package certs

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// leaf is what is kept of an identity.
type leaf struct {
	// held is its certificate; nil when it has none yet.
	held *held
	// flight is the attempt that is being made; nil when none is.
	flight  *flight
	attempt attempt
}

// held is a certificate and its key. It is never written into.
type held struct {
	chain []byte
	// key is a function so that no printer can find the key in it.
	key                 func() PrivateKey
	terms               terms
	uri, serial, issuer string
	issued, renewal     time.Time
	notBefore, notAfter time.Time
}

// flight is an attempt to issue a certificate. Its result is there when done is closed.
type flight struct {
	// quiet says that whoever started it tells of the result.
	quiet bool
	terms terms
	done  chan struct{}
	held  *held
	err   error
	// news says that the certificate has taken the place of another one, or of an error.
	news bool
}

// newFlight is a flight that has not started.
func newFlight() *flight { return &flight{done: make(chan struct{})} }

// landed is a flight that is over.
func landed(h *held, err error) *flight {
	f := newFlight()
	f.held, f.err = h, err
	close(f.done)
	return f
}

// limit is how long one attempt may take.
const limit = 30 * time.Second

// ask is the certificate of an identity: the one that is held if it is good, the one that is being issued, or a new one.
// That one comes with the flight that is given.
func (k *Keeper) ask(ctx context.Context, identity model.Identity, f *flight) *flight {
	if !k.hasBegun() {
		k.turn(ctx)
	}
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.leaves[identity]
	if !ok {
		l = &leaf{}
		k.leaves[identity] = l
	}
	switch {
	case !k.begun:
		l.attempt = l.attempt.failed(now, fmt.Errorf("certify %s: %w", identity, k.closed()), k.options.Jitter())
		return landed(nil, l.attempt.err)
	case l.held.isGood(now, k.terms):
		return landed(l.held, nil)
	case l.flight != nil:
		return l.flight
	case l.attempt.rest(now) > 0 && l.held.isValid(now):
		return landed(l.held, nil)
	case l.attempt.rest(now) > 0:
		return landed(nil, l.attempt.err)
	}
	l.flight, f.terms = f, k.terms
	// Whoever comes later waits for this flight too, so that it does not end with who came first.
	go k.fly(context.WithoutCancel(ctx), identity, l, f)
	return f
}

func (k *Keeper) hasBegun() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.begun
}

// closed says why there is no authority.
func (k *Keeper) closed() error {
	if !k.applied {
		return errors.New("nothing is known of the mesh yet")
	}
	if err := k.attempts[signing(k.declared)].err; err != nil {
		return err
	}
	return errors.New("the authority is not open yet")
}

// now is the time on the clock. Certificates follow the clock, not what has elapsed, so that the monotonic reading is
// stripped.
func (k *Keeper) now() time.Time { return k.options.Now().Round(0) }

func (k *Keeper) fly(ctx context.Context, identity model.Identity, l *leaf, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := k.options.Now()
	h, err := k.issue(ctx, identity, f.terms)
	took := k.options.Now().Sub(start)
	reason := k.land(l, f, h, err)
	k.options.Issued(Issued{Reason: reason, Took: took, Err: err})
	// Whoever is told may hold locks that somebody who waits for this flight needs.
	close(f.done)
	k.early(l)
	if f.news && !f.quiet {
		k.options.Changed([]model.Identity{identity}, false)
		k.owe(-1)
	}
}

// land keeps the result of a flight. A certificate that is still valid is better than none.
func (k *Keeper) land(l *leaf, f *flight, h *held, err error) (reason string) {
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	old := l.held
	reason = reasonOf(old, f.terms)
	l.flight = nil
	if err != nil {
		l.attempt = l.attempt.failed(now, err, k.options.Jitter())
		f.held, f.err = old, nil
		if !old.isValid(now) {
			f.held, f.err = nil, err
		}
		return reason
	}
	f.news = old != nil || l.attempt.failures > 0
	if f.news && !f.quiet {
		k.untold++
	}
	l.attempt, l.held, f.held = attempt{}, h, h
	return reason
}

func reasonOf(old *held, terms terms) string {
	switch {
	case old == nil:
		return ReasonFirst
	case old.terms != terms:
		return ReasonChange
	default:
		return ReasonRenewal
	}
}

// issue asks the authority for a certificate, and looks at what it gave.
func (k *Keeper) issue(ctx context.Context, identity model.Identity, terms terms) (*held, error) {
	k.mu.Lock()
	authority := k.authorities[terms.root].Authority
	k.mu.Unlock()
	chain, key, _, err := authority.Issue(ctx, identity, terms.trustDomain, terms.validity)
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", identity, err)
	}
	now := k.now()
	certificate, err := first(chain)
	uri := identity.URI(terms.trustDomain)
	switch {
	case err != nil:
	case len(certificate.URIs) != 1 || certificate.URIs[0].String() != uri:
		err = fmt.Errorf("the authority certified %v", certificate.URIs)
	case !now.Before(certificate.NotAfter):
		err = fmt.Errorf("the certificate expired at %s", certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", identity, err)
	}
	return &held{
		chain: chain, key: func() PrivateKey { return key }, terms: terms,
		uri: uri, serial: certificate.SerialNumber.Text(16), issuer: cmp.Or(terms.root.Name, certificate.Issuer.String()),
		issued: now, renewal: renewal(now, certificate.NotAfter, k.options.Jitter()),
		notBefore: certificate.NotBefore, notAfter: certificate.NotAfter,
	}, nil
}

func first(chain []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(chain)
	if block == nil {
		return nil, errors.New("the authority gave no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// isGood says whether a certificate needs nothing.
func (h *held) isGood(now time.Time, terms terms) bool {
	return h.isValid(now) && h.terms == terms && now.Before(h.renewal)
}

// isValid says whether others accept a certificate. One from the future was issued before the clock was put back; if it
// was not, the authority's clock is ahead, and another one would be no better.
func (h *held) isValid(now time.Time) bool {
	return h != nil && now.Before(h.notAfter) && (!now.Before(h.notBefore) || !now.Before(h.issued))
}

func (h *held) status(identity model.Identity) Status {
	return Status{
		Identity: identity, URI: h.uri, Serial: h.serial, Issuer: h.issuer,
		NotBefore: h.notBefore.UTC(), NotAfter: h.notAfter.UTC(), Renewal: h.renewal.UTC(),
	}
}
