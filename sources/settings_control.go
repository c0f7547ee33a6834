package sources

import (
	"fmt"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// controlPlane reads what is set for the control plane itself. What has its default is the zero value, written or not.
func (r *settingsReader) controlPlane(spec configv1alpha2.MeshConfigSpec) model.ControlPlane {
	return model.ControlPlane{
		MaxProxies:          r.maxProxies(spec.Sidecar.MaxDataPlaneConnections),
		Resync:              r.resync(spec.Sidecar.ConfigResyncInterval),
		LogLevel:            r.logLevel(spec.Observability),
		DebugServer:         spec.Observability.EnableDebugServer,
		CertificateValidity: r.validity(spec.Certificate.ServiceCertValidityDuration),
		KeyBits:             r.keyBits(spec.Certificate.CertKeyBitSize),
		Flags:               flags(spec.FeatureFlags),
	}
}

func (r *settingsReader) maxProxies(written int) int {
	if r.between("spec.sidecar.maxDataPlaneConnections", written, 1, 1<<31-1, "0, which is no bound,") {
		return written
	}
	return 0
}

// leastResync keeps the control plane from being busy with nothing else.
const leastResync = 30 * time.Second

func (r *settingsReader) resync(written string) time.Duration {
	const field, otherwise = "spec.sidecar.configResyncInterval", "0s, which is never,"
	interval := r.duration(field, written, 0, otherwise)
	if interval != 0 && interval < leastResync {
		r.invalid(field, fmt.Sprintf("%s is less than %s", interval, leastResync), otherwise+" is taken", "write 30s or more, or 0s for never")
		return 0
	}
	return interval
}

var logLevels = []string{"trace", "debug", "info", "warn", "error", "fatal", "panic", "disabled"}

const usualLevel = "info"

// logLevel reads both spellings. They are one setting: of two that disagree, the newer spelling counts.
func (r *settingsReader) logLevel(written configv1alpha2.ObservabilitySpec) string {
	const field = "spec.observability.osmLogLevel"
	level := r.oneOf("spec.observability.fsmLogLevel", strings.ToLower(written.FSMLogLevel), usualLevel, logLevels)
	alias := r.oneOf(field, strings.ToLower(written.OSMLogLevel), usualLevel, logLevels)
	switch {
	case written.FSMLogLevel == "":
		level = alias
	case written.OSMLogLevel != "" && alias != level:
		r.notes = append(r.notes, model.Note(model.MixedSpelling, r.ref.At(field), fmt.Sprintf("osmLogLevel is %s, and fsmLogLevel %s", alias, level)).
			Did("fsmLogLevel counts").Mend("remove osmLogLevel"))
	}
	if level == usualLevel {
		return ""
	}
	return level
}

const usualValidity = 24 * time.Hour

func (r *settingsReader) validity(written string) time.Duration {
	validity := r.duration("spec.certificate.serviceCertValidityDuration", written, time.Second, "24h")
	if validity == usualValidity {
		return 0
	}
	return validity
}

// leastKeyBits is also what a size out of range means: who sets a size wants RSA.
const leastKeyBits = 2048

func (r *settingsReader) keyBits(written int) int {
	switch {
	case r.between("spec.certificate.certKeyBitSize", written, leastKeyBits, 4096, "2048"):
		return written
	case written != 0:
		return leastKeyBits
	default:
		return 0
	}
}

// flags are the names of the feature flags that are on, in order.
func flags(written configv1alpha2.FeatureFlags) model.List[string] {
	var on []string
	for _, flag := range []struct {
		name string
		isOn bool
	}{
		{"enableAsyncProxyServiceMapping", written.EnableAsyncProxyServiceMapping},
		{"enableEgressPolicy", written.EnableEgressPolicy},
		{"enableEnvoyActiveHealthChecks", written.EnableEnvoyActiveHealthChecks},
		{"enableIngressBackendPolicy", written.EnableIngressBackendPolicy},
		{"enableMeshRootCertificate", written.EnableMeshRootCertificate},
		{"enableMulticlusterMode", written.EnableMulticlusterMode},
		{"enableRetryPolicy", written.EnableRetryPolicy},
		{"enableSnapshotCacheMode", written.EnableSnapshotCacheMode},
		{"enableWASMStats", written.EnableWASMStats},
	} {
		if flag.isOn {
			on = append(on, flag.name)
		}
	}
	return model.ListOf(on...)
}
