package tresor

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// The files of an authority. The key is made first and the certificate is made from it, so that the two belong
// together whoever comes in between: of several processes that create a file, one wins and all read what it wrote.
const (
	certificateFile = "ca.crt"
	keyFile         = "ca.key"
)

// The types of PEM blocks.
const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
	ecKeyBlock       = "EC PRIVATE KEY"
)

// lifetime of an authority's certificate: ten years.
const lifetime = 10 * 365 * 24 * time.Hour

// openKey reads the authority's key, and makes it first if neither it nor a certificate is there. A certificate without
// its key is an error: a new key would be a new authority.
func openKey(folder string) (crypto.Signer, error) {
	file := filepath.Join(folder, keyFile)
	// Asked before the key is read: another process may be making both at this moment, the key first.
	_, orphan := os.Lstat(filepath.Join(folder, certificateFile))
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && orphan != nil {
		text, err = makeKey(folder)
	}
	if err != nil {
		return nil, fmt.Errorf("read the authority's key: %w", err)
	}
	signer, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("read the authority's key from %s: %w", file, err)
	}
	return signer, nil
}

func makeKey(folder string) ([]byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(private)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return create(filepath.Join(folder, keyFile), key.PEM(), 0o600)
}

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
	default:
		return nil, fmt.Errorf("it is a PEM block of type %q, not a private key", block.Type)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("it is not a private key that can sign")
	}
	return signer, nil
}

// openCertificate reads the authority's certificate, and makes it first if it is not there.
func openCertificate(folder string, signer crypto.Signer, now time.Time) (*x509.Certificate, error) {
	file := filepath.Join(folder, certificateFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeCertificate(file, signer, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	certificate, err := parseCertificate(text)
	if err == nil {
		err = usable(certificate, signer, now)
	}
	if err != nil {
		return nil, fmt.Errorf("the authority in %s cannot be used: %s: %w; restore it, or remove the folder to start a new one", folder, certificateFile, err)
	}
	return certificate, nil
}

func makeCertificate(file string, signer crypto.Signer, now time.Time) ([]byte, error) {
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
	return create(file, pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der}), 0o644)
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != certificateBlock {
		return nil, errors.New("it is not a certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// usable says why a certificate cannot be an authority's with this key at this time.
func usable(certificate *x509.Certificate, signer crypto.Signer, now time.Time) error {
	public, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok || !public.Equal(signer.Public()):
		return fmt.Errorf("it does not belong to %s", keyFile)
	case !certificate.IsCA || certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("it is not the certificate of an authority")
	case now.Before(certificate.NotBefore):
		return fmt.Errorf("it is not valid before %s", date(certificate.NotBefore))
	case !now.Before(certificate.NotAfter):
		return fmt.Errorf("it expired at %s", date(certificate.NotAfter))
	}
	return nil
}

// create makes a file with all its bytes in one step, unless it is there, and returns what is in the file then.
func create(file string, text []byte, mode os.FileMode) ([]byte, error) {
	scratch, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(scratch.Name()) }()
	_, err = scratch.Write(text)
	if err := errors.Join(err, scratch.Chmod(mode), scratch.Sync(), scratch.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(scratch.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(file)
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
