package trace

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/flomesh-io/fsmc/sinks"
)

// Proxies are many, and each gets several responses. A span for each would be more work than the push. So there is one
// span for all responses of a type and reason that belong together: from the first that was sent until nothing was
// heard for a second, or until ten have gone by.
const (
	quiet   = time.Second
	longest = 10 * time.Second
)

// pushes are the spans of pushes that go on.
type pushes struct {
	tracer oteltrace.Tracer

	mu      sync.Mutex
	parent  oteltrace.SpanContext // of the newest snapshot
	open    map[pushKey]*push
	timer   *time.Timer
	stopped bool
}

// pushKey is what makes two responses one push.
type pushKey struct{ kind, reason string }

func (k pushKey) compare(l pushKey) int {
	return cmp.Or(cmp.Compare(k.kind, l.kind), cmp.Compare(k.reason, l.reason))
}

// push is what was sent and heard since the first response.
type push struct {
	first, last                 time.Time
	responses, resources, bytes int
	acknowledged, rejected      int
}

func newPushes(tracer oteltrace.Tracer) *pushes {
	p := &pushes{tracer: tracer, open: map[pushKey]*push{}}
	p.timer = time.AfterFunc(quiet, p.flush)
	return p
}

// follow ends what goes on: what comes now belongs to another snapshot.
func (p *pushes) follow(parent oteltrace.SpanContext) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
	p.parent = parent
}

// observe adds an event to the push that it belongs to.
func (p *pushes) observe(e sinks.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, now := pushKey{e.Type, e.Reason}, time.Now()
	at := p.open[key]
	if p.stopped || at == nil && e.Kind != sinks.Pushed {
		return
	}
	if at != nil && now.Sub(at.first) > longest {
		p.end()
		at = nil
	}
	if at == nil {
		at = &push{first: now}
		p.open[key] = at
	}
	at.add(e, now)
	p.timer.Reset(quiet)
}

func (p *push) add(e sinks.Event, now time.Time) {
	switch e.Kind {
	case sinks.Pushed:
		p.responses++
		p.resources += e.Resources
		p.bytes += e.Bytes
	case sinks.Acknowledged:
		p.acknowledged++
	case sinks.Rejected:
		p.rejected++
	default:
		return
	}
	p.last = now
}

// flush ends what goes on.
func (p *pushes) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

// stop ends what goes on and lets nothing begin.
func (p *pushes) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.timer.Stop()
	p.end()
}

// end makes spans of what goes on. The lock is held.
func (p *pushes) end() {
	for _, key := range slices.SortedFunc(maps.Keys(p.open), pushKey.compare) {
		p.span(key, p.open[key])
	}
	clear(p.open)
}

// span makes the span of a push. It is within the snapshot that it follows, if it follows one.
func (p *pushes) span(key pushKey, at *push) {
	ctx := context.Background()
	if key.reason == sinks.PushSnapshot {
		ctx = oteltrace.ContextWithSpanContext(ctx, p.parent)
	}
	_, span := p.tracer.Start(ctx, "push", oteltrace.WithTimestamp(at.first), oteltrace.WithAttributes(
		attribute.String("type", key.kind), attribute.String("reason", key.reason), attribute.Int("responses", at.responses),
		attribute.Int("resources", at.resources), attribute.Int("bytes", at.bytes),
		attribute.Int("acknowledged", at.acknowledged), attribute.Int("rejected", at.rejected)))
	if at.rejected > 0 {
		span.SetStatus(codes.Error, "a proxy did not take it")
	}
	span.End(oteltrace.WithTimestamp(at.last))
}
