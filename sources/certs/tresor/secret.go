package tresor

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The keys of the Secret of an authority, as OSM names and writes them.
const (
	secretCertificate = "ca.crt"
	secretKey         = "private.key"
	secretExpiration  = "expiration"

	expirationLayout = "2006-01-02T15:04:05.000Z"
)

// Secrets are the Secrets of a namespace. The SecretInterface of client-go is one.
type Secrets interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.Secret, error)
	Create(ctx context.Context, secret *corev1.Secret, opts metav1.CreateOptions) (*corev1.Secret, error)
}

// OpenSecret reads the authority that is kept in a Secret, as ca.crt and private.key, and creates it there if there is
// none. Everything else is as with Open.
func OpenSecret(ctx context.Context, secrets Secrets, name string, keyBits int, now func() time.Time) (*Authority, error) {
	secret, err := secrets.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		secret, err = makeSecret(ctx, secrets, name, keyBits, now())
	}
	if err != nil {
		return nil, fmt.Errorf("read the authority's Secret %s: %w", name, err)
	}
	authority, err := fromSecret(secret, keyBits, now)
	if err != nil {
		return nil, fmt.Errorf("the authority in Secret %s cannot be used: %w; restore it, or delete the Secret to start a new one", name, err)
	}
	return authority, nil
}

// makeSecret makes a new authority. Of several processes that do, the API server lets one, and all read what that one
// has written.
func makeSecret(ctx context.Context, secrets Secrets, name string, keyBits int, now time.Time) (*corev1.Secret, error) {
	signer, err := generate(keyBits)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(signer)
	if err != nil {
		return nil, err
	}
	certificate, err := makeCertificate(signer, now)
	if err != nil {
		return nil, err
	}
	secret, err := secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Type:       corev1.SecretTypeOpaque,
		Data: map[string][]byte{
			secretCertificate: certificate,
			secretKey:         key.PEM(),
			secretExpiration:  []byte(now.Add(lifetime).UTC().Format(expirationLayout)),
		},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return secrets.Get(ctx, name, metav1.GetOptions{})
	}
	return secret, err
}

func fromSecret(secret *corev1.Secret, keyBits int, now func() time.Time) (*Authority, error) {
	for _, key := range []string{secretCertificate, secretKey} {
		if len(secret.Data[key]) == 0 {
			return nil, fmt.Errorf("it has no %s", key)
		}
	}
	signer, err := parseKey(secret.Data[secretKey])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", secretKey, err)
	}
	certificate, err := parseCertificate(secret.Data[secretCertificate])
	if err == nil {
		err = usable(certificate, signer, secretKey, now())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", secretCertificate, err)
	}
	return newAuthority(certificate, signer, keyBits, now), nil
}
