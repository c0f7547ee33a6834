package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// asked is a gauge whose value is asked for at each scrape.
type asked struct {
	description *prometheus.Desc
	value       func() (float64, bool)
}

// newAsked makes a gauge without labels. It is absent whenever there is no value.
func newAsked(f family, value func() (float64, bool)) asked {
	return asked{prometheus.NewDesc(f.name, f.help, nil, nil), value}
}

// Describe implements prometheus.Collector.
func (a asked) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- a.description }

// Collect implements prometheus.Collector.
func (a asked) Collect(collected chan<- prometheus.Metric) {
	if value, ok := a.value(); ok {
		collected <- prometheus.MustNewConstMetric(a.description, prometheus.GaugeValue, value)
	}
}

// Proxies says who knows how many proxies are connected; it is asked at each scrape.
func (m *Metrics) Proxies(connected func() int) { m.proxies.Store(&connected) }

// CertificateExpiry says who knows when the first of the certificates in use ends, zero while there is none; it is asked
// at each scrape.
func (m *Metrics) CertificateExpiry(first func() time.Time) { m.expires.Store(&first) }

func (m *Metrics) connected() (float64, bool) {
	ask := m.proxies.Load()
	if ask == nil {
		return 0, true
	}
	return float64((*ask)()), true
}

func (m *Metrics) firstExpiry() (float64, bool) {
	ask := m.expires.Load()
	if ask == nil {
		return 0, false
	}
	first := (*ask)()
	return float64(first.UnixMilli()) / 1000, !first.IsZero()
}
