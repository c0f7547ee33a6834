package tresor

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
)

// Key is a private key. Whatever prints, logs or marshals it gets "[redacted]"; only PEM shows it.
type Key struct {
	// pem is a function because printers that walk through unexported fields call no methods, but cannot look into it.
	pem func() []byte
}

// generate makes a private key: RSA of so many bits, or ECDSA P-256 if that is 0.
func generate(bits int) (crypto.Signer, error) {
	if bits == 0 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

func keyOf(private crypto.Signer) (Key, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der})
	return Key{pem: func() []byte { return text }}, nil
}

// PEM is the key in PKCS #8.
func (k Key) PEM() []byte { return k.pem() }

const redacted = "[redacted]"

// Format implements fmt.Formatter, for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String implements fmt.Stringer.
func (k Key) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (k Key) GoString() string { return redacted }

// MarshalText implements encoding.TextMarshaler.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }
