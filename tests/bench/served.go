package main

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"

	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/ads"
)

// pushServer is a server that is measured: ours, or the floor.
type pushServer interface {
	serve(net.Listener)
	// begin says that so many proxies of each class will come, and will be sent so many resources in all.
	begin(proxies map[string]int, resources int)
	// prepare does whatever need not be measured; what it returns publishes the change.
	prepare(change, sinks.Snapshot) func()
	// arrived says, as far as counting tells, whether everything that was expected was acknowledged; settled says whether every proxy has acknowledged what it is to have.
	arrived() bool
	settled() bool
	stop()
}

// served is our server.
type served struct {
	*ads.Server
	// opened and acknowledged count streams and resources, expected ones are awaited before it is asked whether all is
	// settled, which looks at every proxy.
	opened, acknowledged                  atomic.Int64
	expectedStreams, expectedAcknowledged atomic.Int64
}

func newServed(s sinks.Snapshot, own *identities, config *tls.Config) (*served, error) {
	o := &served{}
	o.Server = ads.NewServer(ads.Options{Credentials: own, TLS: config, Observe: o.observe})
	return o, o.Publish(context.Background(), s)
}

func (o *served) observe(e sinks.Event) {
	switch e.Kind {
	case sinks.StreamOpened:
		o.opened.Add(1)
	case sinks.StreamClosed:
		o.opened.Add(-1)
	case sinks.Acknowledged:
		o.acknowledged.Add(int64(e.Resources))
	}
}

func (o *served) serve(l net.Listener) { _ = o.Serve(l) }

func (o *served) begin(proxies map[string]int, resources int) {
	n := 0
	for _, count := range proxies {
		n += count
	}
	o.expectedStreams.Store(int64(n))
	o.acknowledged.Store(0)
	o.expectedAcknowledged.Store(int64(resources))
}

func (o *served) prepare(c change, next sinks.Snapshot) func() {
	o.acknowledged.Store(0)
	o.expectedAcknowledged.Store(int64(c.resources))
	return func() { _ = o.Publish(context.Background(), next) }
}

func (o *served) arrived() bool {
	if o.opened.Load() < o.expectedStreams.Load() {
		return false
	}
	if n := o.expectedAcknowledged.Load(); n > 0 {
		return o.acknowledged.Load() >= n
	}
	return o.Settled() // of proxies that have everything already nothing is heard
}

func (o *served) settled() bool { return o.Settled() }

func (o *served) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = o.Drain(ctx) // it is asked to end at once, and says that it could not wait
}
