package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources/certs/tresor"
)

var (
	buyer  = model.Identity{Namespace: "bookstore", ServiceAccount: "bookbuyer"}
	seller = model.Identity{Namespace: "bookstore", ServiceAccount: "bookseller"}
)

// mesh is a Keeper that runs in a bubble of time, and what it has told.
type mesh struct {
	*Keeper
	t        *testing.T
	settings model.Settings
	log      bytes.Buffer

	mu      sync.Mutex
	told    []string
	issued  []Issued
	steps   []Step
	opened  []string
	settled bool
	// broken is why authorities cannot be opened, and failing why they do not issue.
	broken, failing error
	// ahead is by how much the clock is put forward.
	ahead time.Duration
	// delay is how long an authority takes.
	delay time.Duration
}

// inMesh has a test run with a Keeper of two identities, whose time passes as fast as it can.
func inMesh(t *testing.T, test func(t *testing.T, m *mesh)) { inMeshWith(t, Options{}, test) }

func inMeshWith(t *testing.T, options Options, test func(t *testing.T, m *mesh)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &mesh{t: t, settled: true, settings: model.Settings{TrustDomain: "cluster.local"}}
		options.Open = func(_ context.Context, root model.Root, keyBits int) (Authority, error) {
			return m.open(folder, root, keyBits)
		}
		options.Now, options.Changed, options.Settled = m.clock, m.changed, m.isSettled
		options.Issued = func(i Issued) { m.locked(func() { m.issued = append(m.issued, i) }) }
		options.Rotated = func(s Step) { m.locked(func() { m.steps = append(m.steps, s) }) }
		options.Log = slog.New(slog.NewTextHandler(&m.log, nil))
		m.Keeper = NewKeeper(options)
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		go m.Run(ctx)
		test(t, m)
	})
}

func (m *mesh) locked(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do()
}

func (m *mesh) clock() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Round(0).Add(m.ahead)
}

func (m *mesh) isSettled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settled
}

// changed asks the Keeper, which nobody may who holds a lock of it.
func (m *mesh) changed(identities []model.Identity, trust bool) {
	m.Trust()
	m.Certificates()
	m.locked(func() { m.told = append(m.told, fmt.Sprint(identities, trust)) })
}

func (m *mesh) open(folder string, root model.Root, keyBits int) (Authority, error) {
	var broken error
	m.locked(func() {
		m.opened = append(m.opened, root.Name)
		broken = m.broken
	})
	if broken != nil && root.Name != "oak" {
		return nil, broken
	}
	authority, err := tresor.Open(filepath.Join(folder, root.Name), keyBits, m.clock)
	return &moody{authority, m}, err
}

// moody is an authority that may be slow, or fail.
type moody struct {
	Authority
	m *mesh
}

func (a *moody) Issue(ctx context.Context, identity model.Identity, trustDomain string, validity time.Duration) ([]byte, PrivateKey, []byte, error) {
	time.Sleep(a.m.slowness())
	if err := a.m.failure(); err != nil {
		return nil, nil, nil, err
	}
	return a.Authority.Issue(ctx, identity, trustDomain, validity)
}

func (m *mesh) slowness() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.delay
}

// issues are the attempts to issue up to now, and openings the roots that were opened.
func (m *mesh) issues() []Issued {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.issued
}

func (m *mesh) openings() []string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opened
}

// logged is the log up to now.
func (m *mesh) logged() string {
	synctest.Wait()
	return m.log.String()
}

func (m *mesh) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failing
}

// apply declares roots, the one that signs with a star.
func (m *mesh) apply(roots ...string) {
	m.settings.Roots = model.ListOf(rootsOf(roots)...)
	m.Apply(m.t.Context(), m.settings, []model.Identity{buyer, seller})
}

// leaf is the certificate of an identity as it is now. It fits its key, and is valid.
func (m *mesh) leaf(identity model.Identity) *x509.Certificate {
	m.t.Helper()
	chain, key, err := m.Certificate(m.t.Context(), identity)
	if err != nil {
		m.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key.PEM())
	if err != nil {
		m.t.Fatal(err)
	}
	if now := m.clock(); now.Before(pair.Leaf.NotBefore) || !now.Before(pair.Leaf.NotAfter) {
		m.t.Errorf("at %s it is valid from %s to %s", now, pair.Leaf.NotBefore, pair.Leaf.NotAfter)
	}
	return pair.Leaf
}

func (m *mesh) want(what string, want, got any) {
	m.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// tells are what was told since the last time.
func (m *mesh) tells() []string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	told := m.told
	m.told = nil
	return told
}

const (
	both      = "[bookstore/bookbuyer bookstore/bookseller] false"
	buyerOnly = "[bookstore/bookbuyer] false"
	trustOnly = "[] true"
)

func TestACertificateIsIssuedWhenItIsFirstAskedFor(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		m.want("told", []string{trustOnly}, m.tells())
		first := m.leaf(buyer)
		m.want("another", true, first.Equal(m.leaf(buyer)))
		m.want("of the other", false, first.Equal(m.leaf(seller)))
		m.want("URI", "spiffe://cluster.local/ns/bookstore/sa/bookbuyer", first.URIs[0].String())
		m.want("told", []string(nil), m.tells())
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(m.Trust())
		if _, err := first.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: m.clock()}); err != nil {
			t.Error(err)
		}
	})
}

func TestNobodyIsCertifiedBeforeApply(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		_, _, err := m.Certificate(t.Context(), buyer)
		assertError(t, err, "certify bookstore/bookbuyer: nothing is known of the mesh yet")
		m.want("opened", []string(nil), m.openings())
		m.want("trust", []byte(nil), m.Trust())
		m.apply()
		time.Sleep(2 * time.Second)
		m.want("told who asked in vain", []string{trustOnly, buyerOnly}, m.tells())
		m.leaf(buyer)
	})
}

func TestCertificatesAreRenewedAtTwoThirdsOfTheirLife(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		first, start := m.leaf(buyer), m.clock()
		status := m.Certificates()
		m.tells()
		if life := status[0].Renewal.Sub(start); life < 16*time.Hour-48*time.Minute || life > 16*time.Hour+48*time.Minute {
			t.Errorf("it is renewed after %s", life)
		}
		time.Sleep(status[0].Renewal.Sub(start) - time.Second)
		m.want("told before the time", []string(nil), m.tells())
		time.Sleep(2 * time.Second)
		m.want("told", []string{buyerOnly}, m.tells())
		m.want("the same", false, first.Equal(m.leaf(buyer)))
		time.Sleep(10 * 24 * time.Hour)
		m.want("renewals in ten days", true, len(m.tells()) >= 14)
	})
}

func TestRenewal(t *testing.T) {
	start := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		life   time.Duration
		jitter float64
		want   time.Duration
	}{
		{24 * time.Hour, 0.5, 16 * time.Hour},
		{24 * time.Hour, 0, 15*time.Hour + 12*time.Minute},
		{24 * time.Hour, 1, 16*time.Hour + 48*time.Minute},
		{time.Second, 1, 700 * time.Millisecond},
		{0, 1, 0},
	} {
		if got := renewal(start, start.Add(test.life), test.jitter).Sub(start); got.Round(time.Millisecond) != test.want {
			t.Errorf("of %s with %g: %s, want %s", test.life, test.jitter, got, test.want)
		}
	}
}

func TestCallersShareOneIssue(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		m.locked(func() { m.delay = time.Second })
		serials := make([]string, 50)
		var all sync.WaitGroup
		for i := range serials {
			all.Go(func() { serials[i] = m.leaf(buyer).SerialNumber.String() })
		}
		all.Wait()
		m.want("certificates", 1, len(slices.Compact(serials)))
		m.want("issues", []Issued{{Reason: ReasonFirst, Took: time.Second}}, m.issues())
	})
}

func TestACallerNeedNotWait(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		m.locked(func() { m.delay = 10 * time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := m.Certificate(ctx, buyer)
		assertError(t, err, "certify bookstore/bookbuyer: context deadline exceeded")
		m.leaf(buyer)
		m.want("issues", 1, len(m.issues()))
	})
}

func TestAFailureIsNotTheEndOfACertificate(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		first := m.leaf(buyer)
		m.tells()
		m.locked(func() { m.failing = errors.New("the authority sleeps") })
		time.Sleep(23 * time.Hour)
		m.want("the same", true, first.Equal(m.leaf(buyer)))
		if n := len(m.issues()); n < 50 || n > 1000 {
			t.Errorf("it was tried %d times in seven hours", n)
		}
		m.want("log lines", 1, strings.Count(m.logged(), "certificates not renewed"))
		time.Sleep(2 * time.Hour)
		_, _, err := m.Certificate(t.Context(), buyer)
		assertError(t, err, "certify bookstore/bookbuyer: the authority sleeps")
		m.want("told", []string(nil), m.tells())

		m.locked(func() { m.failing = nil })
		time.Sleep(2 * time.Minute)
		m.want("told", []string{buyerOnly}, m.tells())
		m.leaf(buyer)
	})
}

func TestWhoeverAskedInVainIsTold(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		m.tells()
		m.locked(func() { m.failing = errors.New("the authority sleeps") })
		_, _, err := m.Certificate(t.Context(), buyer)
		assertError(t, err, "the authority sleeps")
		m.locked(func() { m.failing = nil })
		time.Sleep(3 * time.Second)
		m.want("told", []string{buyerOnly}, m.tells())
	})
}

func TestAClockThatIsPutForward(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		m.leaf(buyer)
		m.tells()
		m.locked(func() { m.ahead = 20 * time.Hour })
		time.Sleep(11 * time.Second)
		m.want("told", []string{buyerOnly}, m.tells())
		m.locked(func() { m.ahead = 365 * 24 * time.Hour })
		m.leaf(buyer)
	})
}

func TestAClockThatIsPutBack(t *testing.T) {
	inMeshWith(t, Options{}, func(t *testing.T, m *mesh) {
		m.apply()
		m.locked(func() { m.ahead = 365 * 24 * time.Hour })
		m.leaf(buyer)
		m.tells()
		m.locked(func() { m.ahead = 0 })
		time.Sleep(11 * time.Second)
		m.want("told", []string{buyerOnly}, m.tells())
		m.leaf(buyer)
		time.Sleep(17 * time.Hour)
		m.want("told", []string{buyerOnly}, m.tells())
	})
}

func TestIdentitiesThatAreGoneAreForgotten(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		m.leaf(buyer)
		m.leaf(seller)
		m.Apply(t.Context(), m.settings, []model.Identity{seller})
		m.want("kept", 1, len(m.Certificates()))
		m.tells()
		time.Sleep(17 * time.Hour)
		m.want("told", []string{"[bookstore/bookseller] false"}, m.tells())
	})
}

func TestASettingThatChangesIsANewCertificate(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply()
		m.leaf(buyer)
		m.leaf(seller)
		m.tells()
		for _, edit := range []func(*model.Settings){
			func(s *model.Settings) { s.TrustDomain = "forest.example" },
			func(s *model.Settings) { s.ControlPlane.CertificateValidity = time.Hour },
			func(s *model.Settings) { s.ControlPlane.KeyBits = 2048 },
		} {
			edit(&m.settings)
			m.apply()
			time.Sleep(time.Second)
			m.want("told", []string{both}, m.tells())
		}
		leaf := m.leaf(buyer)
		m.want("URI", "spiffe://forest.example/ns/bookstore/sa/bookbuyer", leaf.URIs[0].String())
		m.want("algorithm", x509.RSA, leaf.PublicKeyAlgorithm)
		if life := leaf.NotAfter.Sub(m.clock()); life > time.Hour {
			t.Errorf("it is valid for %s", life)
		}
		issues := m.issues()
		m.want("reason", ReasonChange, issues[len(issues)-1].Reason)
		m.apply()
		time.Sleep(time.Minute)
		m.want("told of nothing new", []string(nil), m.tells())
	})
}

func TestCertificatesAreShownWithoutKeys(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		leaf := m.leaf(buyer)
		m.leaf(seller)
		list := m.Certificates()
		m.want("certificates", 2, len(list))
		m.want("status", Status{
			Identity: buyer, URI: "spiffe://cluster.local/ns/bookstore/sa/bookbuyer", Serial: leaf.SerialNumber.Text(16), Issuer: "oak",
			NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Renewal: list[0].Renewal,
		}, list[0])
	})
}

// wrong is an authority that certifies somebody else.
type wrong struct{ Authority }

func (w wrong) Issue(ctx context.Context, _ model.Identity, trustDomain string, validity time.Duration) ([]byte, PrivateKey, []byte, error) {
	return w.Authority.Issue(ctx, seller, trustDomain, validity)
}

// late is an authority whose certificates are over when they come.
type late struct{ Authority }

func (l late) Issue(ctx context.Context, identity model.Identity, trustDomain string, _ time.Duration) ([]byte, PrivateKey, []byte, error) {
	return l.Authority.Issue(ctx, identity, trustDomain, time.Nanosecond)
}

// silent is an authority that gives nothing.
type silent struct{ Authority }

func (silent) Issue(context.Context, model.Identity, string, time.Duration) ([]byte, PrivateKey, []byte, error) {
	return []byte("no"), nil, nil, nil
}

func TestWhatAnAuthorityGivesIsLookedAt(t *testing.T) {
	good, err := tresor.Open(t.TempDir(), 0, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for want, authority := range map[string]Authority{
		"the authority certified [spiffe://cluster.local/ns/bookstore/sa/bookseller]": wrong{good},
		"the certificate expired at 20":                                               late{good},
		"the authority gave no certificate":                                           silent{good},
	} {
		k := NewKeeper(Options{Open: func(context.Context, model.Root, int) (Authority, error) { return authority, nil }})
		k.Apply(t.Context(), model.Settings{TrustDomain: "cluster.local"}, nil)
		_, _, err := k.Certificate(t.Context(), buyer)
		assertError(t, err, want)
	}
}

func assertError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("the error is %v, and should say %q", err, want)
	}
}

// roots counts the certificates of a bundle.
func roots(bundle []byte) int {
	var n int
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		n++
	}
	return n
}
