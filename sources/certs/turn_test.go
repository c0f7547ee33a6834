package certs

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// kinds are the steps that were made since the last time.
func (m *mesh) kinds() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var kinds []string
	for _, s := range m.steps {
		kind := string(s.Kind)
		if s.Forced {
			kind += ", forced"
		}
		kinds = append(kinds, kind)
	}
	m.steps = nil
	return kinds
}

func (m *mesh) settle(settled bool) { m.locked(func() { m.settled = settled }) }

// issuer says which root a certificate leads to.
func (m *mesh) signs(root string, leaf *x509.Certificate) {
	m.t.Helper()
	m.want("root that signs", root, m.State().Signs.Name)
	m.mu.Lock()
	authority := m.authorities[m.State().Signs]
	m.mu.Unlock()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority.Trust())
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: m.clock()}); err != nil {
		m.t.Errorf("the certificate is not of %s: %v", root, err)
	}
}

func TestARootIsReplacedInSteps(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		m.signs("oak", m.leaf(buyer))
		m.leaf(seller)
		m.tells()
		m.kinds()

		m.settle(false)
		m.apply("birch*")
		time.Sleep(time.Minute)
		m.want("steps", []string{"trusts"}, m.kinds())
		m.want("told", []string{trustOnly}, m.tells())
		m.want("roots", 2, roots(m.Trust()))
		m.signs("oak", m.leaf(buyer))

		m.settle(true)
		time.Sleep(calm + calm/2)
		m.settle(false)
		m.want("steps", []string{"signs"}, m.kinds())
		m.want("told", []string{both}, m.tells())
		m.want("roots", 2, roots(m.Trust()))
		m.signs("birch", m.leaf(buyer))

		time.Sleep(time.Minute)
		m.settle(true)
		time.Sleep(calm + calm/2)
		m.want("steps", []string{"drops"}, m.kinds())
		m.want("told", []string{trustOnly}, m.tells())
		m.want("roots", 1, roots(m.Trust()))
	})
}

func TestAnAcknowledgementThatIsNoneYetDoesNotCount(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		m.leaf(buyer)
		m.apply("birch*")
		time.Sleep(calm - 100*time.Millisecond)
		m.settle(false)
		time.Sleep(time.Minute)
		m.want("steps", []string{"begins", "trusts"}, m.kinds())
	})
}

func TestPatienceEnds(t *testing.T) {
	inMeshWith(t, Options{Patience: time.Minute}, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		m.leaf(buyer)
		m.kinds()
		m.settle(false)
		m.apply("birch*")
		time.Sleep(61 * time.Second)
		m.want("steps", []string{"trusts", "signs, forced"}, m.kinds())
		time.Sleep(61 * time.Second)
		m.want("steps", []string{"drops, forced"}, m.kinds())
		m.want("log lines", 2, strings.Count(m.logged(), "not acknowledged"))
		time.Sleep(time.Hour)
		m.want("steps", []string(nil), m.kinds())
	})
}

// Nobody loses a certificate because another one cannot be issued, however long that takes.
func TestAnAuthorityThatFailsInTheMiddle(t *testing.T) {
	inMeshWith(t, Options{Patience: time.Minute}, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		m.leaf(buyer)
		m.kinds()
		m.locked(func() { m.failing = errors.New("no") })
		m.apply("birch*")
		time.Sleep(time.Hour)
		m.want("steps", []string{"trusts", "signs"}, m.kinds())
		m.leaf(buyer)
		m.locked(func() { m.failing = nil })
		time.Sleep(2 * time.Minute)
		m.want("steps", []string{"drops"}, m.kinds())
		m.signs("birch", m.leaf(buyer))
	})
}

// A certificate that comes while the root changes is not overlooked.
func TestACertificateThatIsLate(t *testing.T) {
	inMeshWith(t, Options{Patience: time.Second}, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		m.locked(func() { m.delay = 20 * time.Second })
		go func() { _, _, _ = m.Certificate(t.Context(), buyer) }()
		time.Sleep(time.Second)
		m.kinds()
		m.apply("birch*")
		time.Sleep(15 * time.Second)
		m.want("steps", []string{"trusts", "signs"}, m.kinds())
		time.Sleep(time.Minute)
		m.want("steps", []string{"drops"}, m.kinds())
		m.signs("birch", m.leaf(buyer))
	})
}

func TestARootThatCannotBeOpenedReplacesNone(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		first := m.leaf(buyer)
		m.kinds()
		m.locked(func() { m.broken = errors.New("no such Secret") })
		m.apply("birch*")
		time.Sleep(time.Hour)
		m.want("steps", []string(nil), m.kinds())
		m.want("the same", true, first.Equal(m.leaf(buyer)))
		m.want("log lines", 1, strings.Count(m.logged(), "authority not opened"))
		m.locked(func() { m.broken = nil })
		time.Sleep(2 * time.Minute)
		m.want("steps", []string{"trusts", "signs", "drops"}, m.kinds())
	})
}

func TestARootThatCannotBeUsedIsNotOpened(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		declared := rootsOf([]string{"oak*"})
		declared[0].Provider = ""
		if _, err := m.openNew(t.Context(), key(declared[0]), 0); err == nil || len(m.openings()) > 0 {
			t.Errorf("it is opened: %v", err)
		}
	})
}

func TestAMeshWithoutAnAuthorityWaitsForOne(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		m.locked(func() { m.broken = errors.New("no such Secret") })
		m.apply("birch*")
		_, _, err := m.Certificate(t.Context(), buyer)
		assertError(t, err, "certify bookstore/bookbuyer: open the authority birch: no such Secret")
		m.want("told", []string(nil), m.tells())
		m.locked(func() { m.broken = nil })
		time.Sleep(5 * time.Second)
		m.want("told", []string{trustOnly, buyerOnly}, m.tells())
	})
}

// A control plane that stops in the middle of a rotation goes on with it when it starts again.
func TestARotationIsResumed(t *testing.T) {
	var state State
	inMesh(t, func(t *testing.T, m *mesh) {
		m.apply("oak*")
		m.settle(false)
		m.apply("birch*")
		time.Sleep(time.Minute)
		text, err := json.Marshal(m.State())
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &state); err != nil {
			t.Fatal(err)
		}
	})
	inMeshWith(t, Options{Resume: state}, func(t *testing.T, m *mesh) {
		m.settle(false)
		m.apply("birch*")
		m.signs("oak", m.leaf(buyer))
		m.want("roots", 2, roots(m.Trust()))
		m.settle(true)
		time.Sleep(time.Minute)
		m.want("steps", []string{"begins", "signs", "drops"}, m.kinds())
		m.signs("birch", m.leaf(buyer))
	})
	inMeshWith(t, Options{Resume: state}, func(t *testing.T, m *mesh) {
		m.locked(func() { m.broken = errors.New("gone") })
		m.apply("oak*")
		m.want("roots that cannot be opened are not trusted", 1, roots(m.Trust()))
	})
}

// What a proxy starts with is of the root that signs now, and nobody keeps it.
func TestACertificateThatIsNotKept(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		_, _, _, err := m.Issue(t.Context(), buyer, "cluster.local", time.Hour)
		assertError(t, err, "certify bookstore/bookbuyer: nothing is known of the mesh yet")
		m.want("opened", []string(nil), m.openings())
		m.apply("oak*")
		chain, _, trust, err := m.Issue(t.Context(), buyer, "cluster.local", 365*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := first(chain)
		if err != nil {
			t.Fatal(err)
		}
		m.signs("oak", leaf)
		m.want("trust", m.Trust(), trust)
		m.want("life", 365*24*time.Hour, leaf.NotAfter.Sub(m.clock()))
		m.want("kept", 0, len(m.Certificates()))
	})
}

func TestRootsInOnePlaceAreTrustedOnce(t *testing.T) {
	if got := unique([][]byte{[]byte("a"), []byte("b"), []byte("a")}); !slices.EqualFunc(got, []string{"a", "b"}, func(x []byte, y string) bool { return string(x) == y }) {
		t.Errorf("%q", got)
	}
}
