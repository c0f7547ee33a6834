package sidecar

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Folder is the TLS configuration of the sidecar that starts from a folder, as its files are at this moment.
func Folder(folder string) func() (*tls.Config, error) {
	return func() (*tls.Config, error) {
		pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"))
		if err != nil {
			return nil, err
		}
		trust, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
		if err != nil {
			return nil, err
		}
		return Config(pair, trust, time.Now), nil
	}
}

// Config is the TLS configuration of a sidecar. The server is known by its certificate's URI, which must be of the
// control plane's service account, and valid at the time of the clock.
func Config(pair tls.Certificate, trust []byte, now func() time.Time) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trust)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{pair},
		InsecureSkipVerify: true, // #nosec G402 -- the server is known by its URI, which is verified here
		VerifyConnection: func(c tls.ConnectionState) error {
			leaf := c.PeerCertificates[0]
			_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
			if err == nil && (len(leaf.URIs) != 1 || leaf.URIs[0].Path != "/ns/fsm-system/sa/fsm-controller") {
				err = fmt.Errorf("the server is %v", leaf.URIs)
			}
			return err
		},
	}
}
