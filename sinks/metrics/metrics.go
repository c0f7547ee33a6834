package metrics

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of one control plane. All methods can be called from several goroutines, and none waits.
type Metrics struct {
	// Registry has all of them, and those of the Go runtime and of the process.
	Registry *prometheus.Registry

	families   map[string]family
	counters   map[string]*prometheus.CounterVec
	gauges     map[string]*prometheus.GaugeVec
	histograms map[string]*prometheus.HistogramVec
	proxies    atomic.Pointer[func() int]
	expires    atomic.Pointer[func() time.Time]
}

// New makes metrics that all are zero.
func New() *Metrics {
	m := &Metrics{
		Registry:   prometheus.NewRegistry(),
		families:   map[string]family{},
		counters:   map[string]*prometheus.CounterVec{},
		gauges:     map[string]*prometheus.GaugeVec{},
		histograms: map[string]*prometheus.HistogramVec{},
	}
	m.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, f := range families() {
		m.families[f.name] = f
		m.Registry.MustRegister(m.collector(f))
		m.begin(f)
	}
	return m
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// collector makes what keeps the numbers of a family.
func (m *Metrics) collector(f family) prometheus.Collector {
	switch f.name {
	case proxiesConnected:
		return newAsked(f, m.connected)
	case expiry:
		return newAsked(f, m.firstExpiry)
	}
	switch f.kind {
	case counter:
		m.counters[f.name] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: f.name, Help: f.help}, f.labelNames())
		return m.counters[f.name]
	case gauge:
		m.gauges[f.name] = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: f.name, Help: f.help}, f.labelNames())
		return m.gauges[f.name]
	default:
		options := prometheus.HistogramOpts{Name: f.name, Help: f.help, Buckets: bounds}
		m.histograms[f.name] = prometheus.NewHistogramVec(options, f.labelNames())
		return m.histograms[f.name]
	}
}

// begin makes every series of a family, so that the first event is an increase and not the birth of a series.
func (m *Metrics) begin(f family) {
	for _, values := range f.series() {
		switch {
		case m.counters[f.name] != nil:
			m.counters[f.name].WithLabelValues(values...)
		case m.gauges[f.name] != nil:
			m.gauges[f.name].WithLabelValues(values...)
		case m.histograms[f.name] != nil:
			m.histograms[f.name].WithLabelValues(values...)
		}
	}
}

// add counts. What is negative does not count: a counter never falls.
func (m *Metrics) add(name string, n int, values ...string) {
	m.counters[name].WithLabelValues(m.families[name].bounded(values)...).Add(float64(max(n, 0)))
}

// set sets a gauge.
func (m *Metrics) set(name string, n int, values ...string) {
	m.gauges[name].WithLabelValues(m.families[name].bounded(values)...).Set(float64(n))
}

// move raises or lowers a gauge.
func (m *Metrics) move(name string, by int, values ...string) {
	m.gauges[name].WithLabelValues(m.families[name].bounded(values)...).Add(float64(by))
}

// measure notes how long something took. A clock that was set back shows as no time at all.
func (m *Metrics) measure(name string, took time.Duration, values ...string) {
	m.histograms[name].WithLabelValues(m.families[name].bounded(values)...).Observe(max(took, 0).Seconds())
}

func (f family) labelNames() []string {
	names := make([]string, len(f.labels))
	for i, l := range f.labels {
		names[i] = l.name
	}
	return names
}

// bounded are the values with everything that a label does not have replaced.
func (f family) bounded(values []string) []string {
	bounded := slices.Clone(values)
	for i, l := range f.labels {
		if !slices.Contains(l.values, values[i]) {
			bounded[i] = other
		}
	}
	return bounded
}

// series are all combinations of the values of the labels.
func (f family) series() [][]string {
	all := [][]string{nil}
	for _, l := range f.labels {
		var longer [][]string
		for _, values := range all {
			for _, value := range l.values {
				longer = append(longer, append(slices.Clone(values), value))
			}
		}
		all = longer
	}
	return all
}
