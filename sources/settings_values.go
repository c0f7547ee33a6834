package sources

import (
	"fmt"
	"slices"
	"strings"
	"time"

	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// check reports values that are no part of the model, but that whoever reads them later will find invalid.
func (r *settingsReader) check(spec configv1alpha2.MeshConfigSpec) {
	r.oneOf("spec.sidecar.logLevel", spec.Sidecar.LogLevel, "error", envoyLevels)
	r.oneOf("spec.sidecar.localProxyMode", spec.Sidecar.LocalProxyMode, "Localhost", []string{"Localhost", "PodIP"})
	r.between("spec.observability.tracing.port", spec.Observability.Tracing.Port, 1, 65535, "9411")
	if gateway := spec.Certificate.IngressGateway; gateway != nil {
		r.duration("spec.certificate.ingressGateway.validityDuration", gateway.ValidityDuration, time.Second, "24h")
	}
	r.authorization(spec.Traffic.InboundExternalAuthorization)
}

var envoyLevels = []string{"trace", "debug", "info", "warning", "warn", "error", "critical", "off"}

// oneOf is what is written if it is one of all, and otherwise if not.
func (r *settingsReader) oneOf(field, written, otherwise string, all []string) string {
	switch {
	case slices.Contains(all, written):
		return written
	case written != "":
		r.invalid(field, fmt.Sprintf("%q is not known", written), otherwise+" is taken",
			didYouMean(written, all, "write one of "+strings.Join(all, ", ")))
	}
	return otherwise
}

// duration is the duration that is written, and 0 if it is not one of at least that length.
func (r *settingsReader) duration(field, written string, least time.Duration, otherwise string) time.Duration {
	if written == "" {
		return 0
	}
	d, err := time.ParseDuration(written)
	if err != nil || d < least {
		r.invalid(field, fmt.Sprintf("%q is not a duration that can be used", written), otherwise+" is taken", "write a number and a unit, such as 24h or 30s")
		return 0
	}
	return d
}

// between says whether a number is set, and in range; 0 is one that is not set.
func (r *settingsReader) between(field string, written, least, most int, otherwise string) bool {
	if written != 0 && (written < least || written > most) {
		r.invalid(field, fmt.Sprintf("%d is not between %d and %d", written, least, most), otherwise+" is taken",
			fmt.Sprintf("write a number from %d to %d", least, most))
		return false
	}
	return written != 0
}

// unchecked says that requests must be checked by somebody who cannot be asked yet, and may not pass if he cannot.
func unchecked(authz configv1alpha2.ExternalAuthzSpec) bool {
	return authz.Enable && !authz.FailureModeAllow
}

// authorization reports that requests are not checked by somebody who was asked to. They are then refused, unless it
// says that they may pass when the check fails.
func (r *settingsReader) authorization(authz configv1alpha2.ExternalAuthzSpec) {
	const field = "spec.traffic.inboundExternalAuthorization"
	if authz.Enable {
		instead := "requests pass without it, as failureModeAllow says"
		if unchecked(authz) {
			instead = "every inbound HTTP request is refused"
		}
		r.invalid(field+".enable", "external authorization is not supported yet: inbound HTTP would go unchecked",
			instead, "restrict requests by TrafficTargets, or check them in the application")
	}
	r.duration(field+".timeout", authz.Timeout, time.Millisecond, "1s")
	r.between(field+".port", authz.Port, 1, 65535, "no port")
}
