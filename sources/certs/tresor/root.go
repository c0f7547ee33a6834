package tresor

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// The types of PEM blocks.
const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
	ecKeyBlock       = "EC PRIVATE KEY"
	rsaKeyBlock      = "RSA PRIVATE KEY"
)

// lifetime of an authority's certificate: ten years.
const lifetime = 10 * 365 * 24 * time.Hour

// parseKey reads a private key in PEM. No error says what is in the file.
func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	var key any
	var err error
	switch block.Type {
	case keyBlock:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case ecKeyBlock:
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case rsaKeyBlock:
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("it is a PEM block of type %q, not a private key", block.Type)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("it is not a private key that can sign")
	}
	return signer, nil
}

// makeCertificate makes the certificate of a new authority, in PEM.
func makeCertificate(signer crypto.Signer, now time.Time) ([]byte, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "fsm-ca.flomesh.io", Organization: []string{"flomesh"}},
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(lifetime),
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:         true,

		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der}), nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != certificateBlock {
		return nil, errors.New("it is not a certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// usable says why a certificate cannot be an authority's with this key, which is kept under a name, at this time.
func usable(certificate *x509.Certificate, signer crypto.Signer, name string, now time.Time) error {
	public, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok || !public.Equal(signer.Public()):
		return fmt.Errorf("it does not belong to %s", name)
	case !certificate.IsCA || certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("it is not the certificate of an authority")
	case now.Before(certificate.NotBefore):
		return fmt.Errorf("it is not valid before %s", date(certificate.NotBefore))
	case !now.Before(certificate.NotAfter):
		return fmt.Errorf("it expired at %s", date(certificate.NotAfter))
	}
	return nil
}

// newSerial is a random serial number of 128 bits. RFC 5280 wants it positive.
func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	return serial.Add(serial, big.NewInt(1)), nil
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }
