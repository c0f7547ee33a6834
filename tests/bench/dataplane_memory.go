package main

import (
	"errors"
	"fmt"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
)

// memoryPart is what the client's sidecar has allocated before its first request when something is different.
type memoryPart struct {
	Name      string `json:"name"`
	Allocated uint64 `json:"allocated"`
}

// variation is a form that differs from ours in something.
type variation struct {
	name      string
	resources func(*callers) error
	bootstrap func(*bootstrapv3.Bootstrap)
}

func variations() []variation {
	same, untouched := func(*callers) error { return nil }, func(*bootstrapv3.Bootstrap) {}
	return []variation{
		{"ours", same, untouched},
		{"with all of Envoy's statistics", same, allStatistics},
		{"with one cluster for all calls to the addresses of pods (tried only)", (*callers).sharedDirect, untouched},
		{"without calls to the addresses of pods", (*callers).servicesOnly, untouched},
		{"without those, with all of Envoy's statistics", (*callers).servicesOnly, allStatistics},
		{"the ancestor's form", (*callers).managerEach, allStatistics},
		{"the ancestor's form, with our list of statistics", (*callers).managerEach, untouched},
	}
}

// allStatistics is how Envoy is by itself.
func allStatistics(b *bootstrapv3.Bootstrap) { b.StatsConfig, b.DeferredStatOptions = nil, nil }

// servicesOnly takes calls to the addresses of pods out of what the client's sidecar can do.
func (c *callers) servicesOnly() error {
	c.dropDirect()
	return c.relisten(c.client, "outbound-listener", func(l *listenerv3.Listener) error {
		var chains []*listenerv3.FilterChain
		for _, chain := range l.FilterChains {
			if chain.Name == "outbound_80_http" {
				chains = append(chains, chain)
			}
		}
		l.FilterChains = chains
		ports := l.FilterChainMatcher.GetMatcherTree().GetExactMatchMap().GetMap()
		delete(ports, fmt.Sprint(c.place.Pod.Port()))
		if len(chains) != 1 || len(ports) != 1 {
			return errors.New("the outbound listener is not as it was thought to be")
		}
		return nil
	})
}

// memoryParts starts each variation for a moment.
func (f *forms) memoryParts(dir, envoy string, services int) (list []memoryPart, err error) {
	for i, v := range variations() {
		c, err := newCallers(services, f.own)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(v.resources(c), c.bind()); err != nil {
			return nil, err
		}
		form, err := f.serve(dir, fmt.Sprintf("variation-%d", i), c, v.bootstrap)
		if err != nil {
			return nil, err
		}
		s, err := newSite(envoy, form, c.place)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		list = append(list, memoryPart{v.name, s.before})
		if err := s.close(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
