package tresor

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// clientSecrets is the SecretInterface of k8s.io/client-go/kubernetes/typed/core/v1 v0.37 as its documentation has it,
// without Apply, whose argument is a type of client-go.
type clientSecrets interface {
	Create(ctx context.Context, secret *corev1.Secret, opts metav1.CreateOptions) (*corev1.Secret, error)
	Update(ctx context.Context, secret *corev1.Secret, opts metav1.UpdateOptions) (*corev1.Secret, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
	DeleteCollection(ctx context.Context, opts metav1.DeleteOptions, listOpts metav1.ListOptions) error
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.Secret, error)
	List(ctx context.Context, opts metav1.ListOptions) (*corev1.SecretList, error)
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (result *corev1.Secret, err error)
}

var _ Secrets = clientSecrets(nil)

// memory is the Secrets of a namespace, as an API server keeps them.
type memory struct {
	mu      sync.Mutex
	secrets map[string]*corev1.Secret
	// failing is what each call ends with; nil means that they do what they shall.
	failing error
}

var secretResource = schema.GroupResource{Resource: "secrets"}

func (m *memory) Get(_ context.Context, name string, _ metav1.GetOptions) (*corev1.Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	secret, ok := m.secrets[name]
	switch {
	case m.failing != nil:
		return nil, m.failing
	case !ok:
		return nil, apierrors.NewNotFound(secretResource, name)
	}
	return secret.DeepCopy(), nil
}

func (m *memory) Create(_ context.Context, secret *corev1.Secret, _ metav1.CreateOptions) (*corev1.Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.secrets[secret.Name]; ok {
		return nil, apierrors.NewAlreadyExists(secretResource, secret.Name)
	}
	if m.secrets == nil {
		m.secrets = map[string]*corev1.Secret{}
	}
	m.secrets[secret.Name] = secret.DeepCopy()
	return secret, nil
}

func TestASecretKeepsTheAuthority(t *testing.T) {
	secrets := &memory{}
	first := openSecret(t, secrets, noon)
	issue(t, first, time.Hour)
	secret := secrets.secrets["fsm-ca-bundle"]
	if keys := slices.Sorted(maps.Keys(secret.Data)); !slices.Equal(keys, []string{"ca.crt", "expiration", "private.key"}) || secret.Type != corev1.SecretTypeOpaque {
		t.Errorf("the Secret has %v and type %s", keys, secret.Type)
	}
	if expiration := string(secret.Data["expiration"]); expiration != "2039-12-31T12:00:00.000Z" {
		t.Errorf("it expires at %s", expiration)
	}
	second := openSecret(t, secrets, noon.AddDate(9, 0, 0))
	if !bytes.Equal(first.Trust(), second.Trust()) || !bytes.Equal(first.Trust(), secret.Data["ca.crt"]) {
		t.Error("the second is another authority")
	}
}

func TestProcessesAgreeOnOneSecret(t *testing.T) {
	secrets := &memory{}
	var mu sync.Mutex
	trusts := map[string]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			authority, err := OpenSecret(t.Context(), secrets, "fsm-ca-bundle", 0, at(noon))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			trusts[string(authority.Trust())] = true
		})
	}
	all.Wait()
	if len(trusts) != 1 {
		t.Errorf("there are %d authorities", len(trusts))
	}
}

func TestASecretThatCannotBeUsedIsSaidAndKept(t *testing.T) {
	other := &memory{}
	openSecret(t, other, noon)
	set := func(key string, value []byte) func(map[string][]byte) {
		return func(data map[string][]byte) { data[key] = value }
	}
	theirs := other.secrets["fsm-ca-bundle"].Data
	tests := []struct {
		name string
		edit func(data map[string][]byte)
		when time.Time
		want string
	}{
		{"no key", func(data map[string][]byte) { delete(data, secretKey) }, noon, "it has no private.key"},
		{"no certificate", set(secretCertificate, nil), noon, "it has no ca.crt"},
		{"key is not PEM", set(secretKey, []byte("c2VjcmV0")), noon, "private.key: it is not PEM"},
		{"key is another's", set(secretKey, theirs[secretKey]), noon, "ca.crt: it does not belong to private.key"},
		{"certificate is not PEM", set(secretCertificate, []byte("c2VjcmV0")), noon, "ca.crt: it is not a certificate in PEM"},
		{"expired", func(map[string][]byte) {}, noon.Add(lifetime), "ca.crt: it expired at 2039-12-31T12:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			secrets := &memory{}
			openSecret(t, secrets, noon)
			data := secrets.secrets["fsm-ca-bundle"].Data
			test.edit(data)
			before := fmt.Sprint(data)
			_, err := OpenSecret(t.Context(), secrets, "fsm-ca-bundle", 0, at(test.when))
			assertError(t, err, test.want)
			assertError(t, err, "the authority in Secret fsm-ca-bundle cannot be used")
			if strings.Contains(err.Error(), "c2VjcmV0") {
				t.Errorf("the error tells the key: %v", err)
			}
			if after := fmt.Sprint(secrets.secrets["fsm-ca-bundle"].Data); after != before {
				t.Error("the Secret was changed")
			}
		})
	}
}

func TestASecretThatCannotBeRead(t *testing.T) {
	secrets := &memory{failing: errors.New("connection refused")}
	_, err := OpenSecret(t.Context(), secrets, "fsm-ca-bundle", 0, at(noon))
	assertError(t, err, "read the authority's Secret fsm-ca-bundle: connection refused")
	if len(secrets.secrets) > 0 {
		t.Error("it made a new one")
	}
}

// refusing are Secrets that may be read but not created.
type refusing struct{ memory }

func (*refusing) Create(context.Context, *corev1.Secret, metav1.CreateOptions) (*corev1.Secret, error) {
	return nil, apierrors.NewForbidden(secretResource, "fsm-ca-bundle", errors.New("no"))
}

func TestASecretThatCannotBeCreated(t *testing.T) {
	_, err := OpenSecret(t.Context(), &refusing{}, "fsm-ca-bundle", 0, at(noon))
	assertError(t, err, "is forbidden")
}

// A Secret as OSM wrote it: an RSA authority with another subject.
func TestASecretOfAnAncestor(t *testing.T) {
	secrets := &memory{}
	signer, err := generate(2048)
	if err != nil {
		t.Fatal(err)
	}
	key, err := keyOf(signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := makeCertificate(signer, noon)
	if err != nil {
		t.Fatal(err)
	}
	secrets.secrets = map[string]*corev1.Secret{"fsm-ca-bundle": {Data: map[string][]byte{"ca.crt": certificate, "private.key": key.PEM()}}}
	leaf, _ := issue(t, openSecret(t, secrets, noon), time.Hour)
	if _, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok {
		t.Errorf("the leaf has a %T", leaf.PublicKey)
	}
}

func openSecret(t *testing.T, secrets Secrets, now time.Time) *Authority {
	t.Helper()
	authority, err := OpenSecret(t.Context(), secrets, "fsm-ca-bundle", 0, at(now))
	if err != nil {
		t.Fatal(err)
	}
	return authority
}
