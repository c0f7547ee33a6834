package tresor

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
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

// Open reads the authority that is kept in a folder, as ca.crt and ca.key, and creates it there if there is none. Keys
// that it makes, a new one of its own included, are RSA of keyBits bits, or ECDSA P-256 if that is 0. The private key
// file is readable by its owner only. Several processes may open a new folder at once: they agree on one authority. What
// is there and cannot be used is an error, and is never replaced: every certificate in the mesh hangs on it.
func Open(folder string, keyBits int, now func() time.Time) (*Authority, error) {
	signer, err := openKey(folder, keyBits)
	if err != nil {
		return nil, err
	}
	certificate, err := openCertificate(folder, signer, now())
	if err != nil {
		return nil, err
	}
	return newAuthority(certificate, signer, keyBits, now), nil
}

// openKey reads the authority's key, and makes it first if neither it nor a certificate is there. A certificate without
// its key is an error: a new key would be a new authority.
func openKey(folder string, keyBits int) (crypto.Signer, error) {
	file := filepath.Join(folder, keyFile)
	// Asked before the key is read: another process may be making both at this moment, the key first.
	_, orphan := os.Lstat(filepath.Join(folder, certificateFile))
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && orphan != nil {
		text, err = makeKey(folder, keyBits)
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

func makeKey(folder string, keyBits int) ([]byte, error) {
	private, err := generate(keyBits)
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

// openCertificate reads the authority's certificate, and makes it first if it is not there.
func openCertificate(folder string, signer crypto.Signer, now time.Time) (*x509.Certificate, error) {
	file := filepath.Join(folder, certificateFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = writeCertificate(file, signer, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	certificate, err := parseCertificate(text)
	if err == nil {
		err = usable(certificate, signer, keyFile, now)
	}
	if err != nil {
		return nil, fmt.Errorf("the authority in %s cannot be used: %s: %w; restore it, or remove the folder to start a new one", folder, certificateFile, err)
	}
	return certificate, nil
}

func writeCertificate(file string, signer crypto.Signer, now time.Time) ([]byte, error) {
	text, err := makeCertificate(signer, now)
	if err != nil {
		return nil, err
	}
	return create(file, text, 0o644)
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
