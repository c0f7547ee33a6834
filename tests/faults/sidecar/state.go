package sidecar

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
)

// state is what a sidecar has and waits for: plain data, which changes by what it is sent.
type state struct {
	node string
	// has are the versions of what it has, and asked the names that it asks for.
	has   [kinds]map[string]string
	asked [kinds]map[string]bool
	// named are the references of each cluster and listener.
	named [kinds]map[string]references
	// warming are the clusters that wait for endpoints that were sent after them.
	warming map[string]bool
	// excused are endpoints that may be sent again: at the beginning of the stream clusters warmed, and as Envoy does not tell
	// which, all are repeated.
	excused map[string]bool
	// withheld are acknowledgements of clusters, while one of them warms.
	withheld []*discoveryv3.DeltaDiscoveryRequest
	// answered says that it was sent clusters, ever.
	answered bool
	// started are the kinds that it has asked for on this stream, and ever.
	started, ever [kinds]bool
	counts        Counts
}

// Counts are what a sidecar was sent.
type Counts struct {
	// Streams that were opened and had an answer, and Responses and Resources on them.
	Streams, Responses, Resources int
	// ByKind are the resources by their kind's name.
	ByKind map[string]int
	// Repeated are resources that the sidecar had in that very version, except endpoints that a cluster
	// waited for, or may have waited for when the stream began.
	Repeated []string
	// Mangled are resources whose bytes are not those that their version is the hash of. A secret's version says nothing of
	// its key.
	Mangled []string
}

func newState(node string) *state {
	s := &state{node: node, warming: map[string]bool{}, counts: Counts{ByKind: map[string]int{}}}
	for k := range kinds {
		s.has[k], s.asked[k], s.named[k] = map[string]string{}, map[string]bool{}, map[string]references{}
	}
	return s
}

// begin are the first requests on a new stream.
func (s *state) begin() []*discoveryv3.DeltaDiscoveryRequest {
	s.started, s.withheld, s.excused = [kinds]bool{}, nil, nil
	if !s.warm() {
		s.excused = map[string]bool{}
		for name := range s.has[Endpoints] {
			s.excused[name] = true
		}
	}
	var list []*discoveryv3.DeltaDiscoveryRequest
	for k := range kinds {
		if k == Clusters && !s.warm() {
			continue
		}
		if k == Clusters || s.ever[k] || k == Listeners && s.answered && s.warm() {
			list = append(list, s.first(k))
		}
	}
	return list
}

// first is the first request for a kind on a stream: it tells what the sidecar has.
func (s *state) first(k Kind) *discoveryv3.DeltaDiscoveryRequest {
	s.started[k], s.ever[k] = true, true
	return &discoveryv3.DeltaDiscoveryRequest{
		Node: &corev3.Node{Id: s.node}, TypeUrl: k.URL(),
		ResourceNamesSubscribe: slices.Sorted(maps.Keys(s.asked[k])), InitialResourceVersions: maps.Clone(s.has[k]),
	}
}

// take takes a response, and gives what is said to it.
func (s *state) take(r *discoveryv3.DeltaDiscoveryResponse) []*discoveryv3.DeltaDiscoveryRequest {
	k, ok := kindOf(r.TypeUrl)
	if !ok {
		return nil
	}
	s.counts.Responses++
	s.counts.Resources += len(r.Resources)
	s.counts.ByKind[k.String()] += len(r.Resources)
	for _, resource := range r.Resources {
		s.put(k, resource)
	}
	for _, name := range r.RemovedResources {
		delete(s.has[k], name)
		delete(s.named[k], name)
		if k == Clusters || k == Endpoints {
			delete(s.warming, name) // who is told that there are no endpoints does not wait for them
		}
	}
	ack := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce}
	var list []*discoveryv3.DeltaDiscoveryRequest
	if k == Clusters {
		s.answered = true
		s.withheld = append(s.withheld, ack)
	} else {
		list = append(list, ack)
	}
	if k == Clusters || k == Listeners {
		list = append(list, s.follow()...)
	}
	return append(list, s.release()...)
}

func (s *state) put(k Kind, r *discoveryv3.Resource) {
	same := s.has[k][r.Name] == r.Version
	excused := k == Endpoints && (s.warming[r.Name] || s.excused[r.Name])
	if k == Endpoints {
		delete(s.excused, r.Name)
	}
	if same && !excused {
		s.counts.Repeated = append(s.counts.Repeated, k.String()+" "+r.Name)
	}
	if sum := sha256.Sum256(r.GetResource().GetValue()); k != Secrets && hex.EncodeToString(sum[:]) != r.Version {
		s.counts.Mangled = append(s.counts.Mangled, k.String()+" "+r.Name)
	}
	s.has[k][r.Name] = r.Version
	switch k {
	case Clusters:
		found := referencesOf(k, r.Name, r.Version, r.GetResource().GetValue())
		s.named[k][r.Name] = found
		if !same && len(found[Endpoints]) > 0 {
			s.warming[r.Name] = true
		}
	case Listeners:
		s.named[k][r.Name] = referencesOf(k, r.Name, r.Version, r.GetResource().GetValue())
	case Endpoints:
		delete(s.warming, r.Name)
	}
}

// follow subscribes to what is named now, and unsubscribes from what is not named any more.
func (s *state) follow() []*discoveryv3.DeltaDiscoveryRequest {
	var list []*discoveryv3.DeltaDiscoveryRequest
	for _, k := range []Kind{Endpoints, Secrets, Routes} {
		now := map[string]bool{}
		for _, parent := range []Kind{Clusters, Listeners} {
			for _, r := range s.named[parent] {
				for _, name := range r[k] {
					now[name] = true
				}
			}
		}
		r := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: k.URL()}
		for _, name := range slices.Sorted(maps.Keys(now)) {
			if !s.asked[k][name] {
				r.ResourceNamesSubscribe = append(r.ResourceNamesSubscribe, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.asked[k])) {
			if !now[name] {
				r.ResourceNamesUnsubscribe = append(r.ResourceNamesUnsubscribe, name)
				delete(s.has[k], name)
			}
		}
		s.asked[k] = now
		switch {
		case !s.started[k] && len(now) > 0:
			list = append(list, s.first(k))
		case len(r.ResourceNamesSubscribe)+len(r.ResourceNamesUnsubscribe) > 0:
			list = append(list, r)
		}
	}
	return list
}

// release says what was kept back while clusters warmed, if they are warm.
func (s *state) release() []*discoveryv3.DeltaDiscoveryRequest {
	if !s.warm() {
		return nil
	}
	list := s.withheld
	s.withheld = nil
	if !s.started[Clusters] {
		list = append(list, s.first(Clusters))
	}
	if !s.started[Listeners] && s.answered {
		list = append(list, s.first(Listeners))
	}
	return list
}

// warm says whether no cluster waits.
func (s *state) warm() bool {
	if len(s.warming) > 0 {
		return false
	}
	for _, r := range s.named[Clusters] {
		for _, name := range r[Secrets] {
			if s.has[Secrets][name] == "" {
				return false
			}
		}
	}
	return true
}
