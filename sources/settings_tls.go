package sources

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

const (
	tls12 = "1.2"
	tls13 = "1.3"
)

// tls reads what a mesh connection may negotiate. Nothing below TLS 1.2 ever is.
func (r *settingsReader) tls(sidecar configv1alpha2.SidecarSpec) model.TLS {
	minimum := r.tlsVersion("spec.sidecar.tlsMinProtocolVersion", sidecar.TLSMinProtocolVersion, tls12)
	maximum := r.tlsVersion("spec.sidecar.tlsMaxProtocolVersion", sidecar.TLSMaxProtocolVersion, tls13)
	if minimum > maximum {
		r.invalid("spec.sidecar.tlsMinProtocolVersion", fmt.Sprintf("the minimum TLS %s is above the maximum TLS %s", minimum, maximum),
			"TLS 1.2 to 1.3 are taken", "raise tlsMaxProtocolVersion, or lower tlsMinProtocolVersion")
		minimum, maximum = tls12, tls13
	}
	return model.TLS{
		Minimum: minimum,
		Maximum: maximum,
		Ciphers: model.ListOf(r.known("spec.sidecar.cipherSuites", sidecar.CipherSuites, tlsCiphers)...),
		Curves:  model.ListOf(r.known("spec.sidecar.ecdhCurves", sidecar.ECDHCurves, tlsCurves)...),
	}
}

func (r *settingsReader) tlsVersion(field, written, otherwise string) string {
	switch written {
	case "", "TLS_AUTO":
		return otherwise
	case "TLSv1_2":
		return tls12
	case "TLSv1_3":
		return tls13
	case "TLSv1_0", "TLSv1_1":
		r.invalid(field, written+" is not safe", "TLS 1.2 is taken", "write TLSv1_2 or TLSv1_3")
		return tls12
	default:
		r.invalid(field, fmt.Sprintf("%q is no version of TLS", written), "TLS "+otherwise+" is taken", "write TLS_AUTO, TLSv1_2 or TLSv1_3")
		return otherwise
	}
}

// known keeps what Envoy knows of a list, in its order. One name that it does not know would cost every listener and
// cluster of the mesh.
func (r *settingsReader) known(field string, written, all []string) []string {
	var kept []string
	for i, name := range written {
		if unknown, ok := unknownOf(name, all); ok {
			r.invalid(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is not known", unknown), "it is left out; of an empty list Envoy takes its own",
				didYouMean(unknown, all, "write one of "+strings.Join(all, ", ")))
			continue
		}
		// Envoy refuses a curve that is there twice.
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept
}

// unknownOf finds a name that is not in all. Ciphers of equal preference can stand together as [A|B].
func unknownOf(written string, all []string) (string, bool) {
	names := []string{written}
	if inner, ok := strings.CutPrefix(written, "["); ok && strings.HasSuffix(inner, "]") {
		names = strings.Split(strings.TrimSuffix(inner, "]"), "|")
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return name, true
		}
	}
	return "", false
}

// tlsCiphers are the suites of TLS 1.2 that Envoy can be given. Those of TLS 1.3 cannot be chosen.
var tlsCiphers = []string{
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
	"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
	"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
	"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
	"AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA",
}

var tlsCurves = []string{"X25519", "P-256", "P-384", "P-521", "X25519MLKEM768"}
