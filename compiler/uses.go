package compiler

import "slices"

// sender is the spec of something that sends traffic: a route table or what is in it, a listener or a chain of one.
// What it knows of the clusters is read from the spec, and never from the message that is made of it.
type sender interface {
	// uses are the names of the clusters, in any order.
	uses() []string
}

// usesOf are the clusters that what is made of a spec sends traffic to, in order and each once.
func usesOf(spec any) []string {
	s, ok := spec.(sender)
	if !ok {
		return nil
	}
	names := s.uses()
	slices.Sort(names)
	return slices.Compact(names)
}

func (s virtualHostSpec) uses() []string {
	var names []string
	for _, r := range s.Routes {
		names = append(names, clustersOf(r.Targets)...)
	}
	return names
}

func (s outboundTCPSpec) uses() []string { return clustersOf(s.Targets) }

// uses is the application's port, unless the chain closes every connection. Requests are sent by the route table.
func (s inboundSpec) uses() []string {
	if s.Routes != "" || s.closed() {
		return nil
	}
	return []string{s.Cluster}
}

func (s outboundSpec) uses() []string {
	names := usesOfParts(s.Chains)
	if s.Otherwise != nil {
		names = append(names, s.Otherwise.uses...)
	}
	return names
}

func (s inboundListenerSpec) uses() []string { return usesOfParts(s.Chains) }

func (s prometheusSpec) uses() []string { return []string{metricsCluster} }

func (s outboundRoutesSpec) uses() []string { return usesOfParts(s.Hosts) }

func (s inboundRoutesSpec) uses() []string { return []string{s.Cluster} }

func clustersOf(targets []targetSpec) []string {
	var names []string
	for _, t := range targets {
		names = append(names, t.Cluster)
	}
	return names
}

func usesOfParts(parts []*part) []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.uses...)
	}
	return names
}
