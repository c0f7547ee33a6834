package metrics

import (
	"time"

	"github.com/flomesh-io/fsmc/sinks"
)

// Observe counts what happens in a sink; it is a sinks.Observer.
func (m *Metrics) Observe(e sinks.Event) {
	switch e.Kind {
	case sinks.StreamOpened:
		m.move(streams, 1, e.Reason)
		m.add(streamsOpened, 1, e.Reason)
	case sinks.StreamClosed:
		m.move(streams, -1, e.Reason)
	case sinks.StreamRefused:
		m.add(streamsRefused, 1, e.Reason)
	case sinks.Pushed:
		m.add(responses, 1, e.Type, e.Reason)
		m.add(resources, e.Resources, e.Type, e.Reason)
		m.add(responseBytes, e.Bytes, e.Type, e.Reason)
	case sinks.Acknowledged:
		m.measure(acknowledgement, e.Took, e.Type)
	case sinks.Rejected:
		m.add(rejections, 1, e.Type)
	case sinks.Coalesced:
		m.add(coalesced, 1, e.Type)
	}
}

// Source counts an event of the source: it changed, it failed to be read, or it was polled.
func (m *Metrics) Source(event string) { m.add(sourceEvents, 1, event) }

// Step notes how long a step took: read, complete, resolve, compile or publish.
func (m *Metrics) Step(step string, took time.Duration) { m.measure(steps, took, step) }

// Reuse counts how many of a kind were needed and how many of those were taken over from before. The kinds are in the
// table.
func (m *Metrics) Reuse(kind string, reused, total int) {
	m.add(reuseWanted, total, kind)
	m.add(reuseReused, reused, kind)
}

// Queue says how many changes wait now.
func (m *Metrics) Queue(n int) { m.set(eventsQueued, n) }

// Mesh says how many of a kind the mesh has now: services, proxies, permissions, splits, classes or resources.
func (m *Metrics) Mesh(kind string, n int) { m.set(meshEntities, n, kind) }

// Diagnostics says how many findings of a level there are now.
func (m *Metrics) Diagnostics(level string, n int) { m.set(diagnostics, n, level) }

// Certificate notes that a certificate was issued, how long that took, and whether it failed.
func (m *Metrics) Certificate(took time.Duration, err error) {
	m.measure(issueTime, took)
	if err != nil {
		m.add(issueFailures, 1)
		return
	}
	m.add(issued, 1)
}

// FeatureFlags says which flags are on, by their names in spec.featureFlags of a MeshConfig; all others are off.
func (m *Metrics) FeatureFlags(on []string) {
	for _, flag := range flags {
		m.set(flagEnabled, 0, flag)
	}
	for _, flag := range on {
		m.set(flagEnabled, 1, flag)
	}
}

// Build says which program this is. The values are its own, and what was said before is forgotten.
func (m *Metrics) Build(version, commit, date string) {
	info := m.gauges[versionInfo]
	info.Reset()
	info.WithLabelValues(version, date, commit).Set(1)
}
