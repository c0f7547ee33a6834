package sources

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// publishInput is the services of the mesh, in order, and what they are published with.
type publishInput struct {
	services   []*service
	shares     *shares
	permissive bool
}

// publishedServices are the services of the mesh with the endpoints that answer for them now, and a service of its own
// for each host of a headless service that has one.
type publishedServices struct {
	all   []*model.Service
	notes []model.Diagnostic

	stages family[model.ServiceID, backedInput, backedService]
}

func publishServices(in publishInput, before *publishedServices) *publishedServices {
	if before == nil {
		before = &publishedServices{}
	}
	p := &publishedServices{stages: make(family[model.ServiceID, backedInput, backedService], len(in.services))}
	for _, s := range in.services {
		made := p.stages.again(before.stages, s.id, backedInput{s, in.shares.lost[s.id], in.permissive}, publishService)
		p.all, p.notes = append(p.all, made.services...), append(p.notes, made.notes...)
	}
	return p
}

// backedInput is a service, the pods that do not serve some port of it, and whether pods without a sidecar are called.
type backedInput struct {
	service    *service
	lost       []loss
	permissive bool
}

// backedService is a service and its hosts.
type backedService struct {
	services []*model.Service
	notes    []model.Diagnostic
}

func publishService(in backedInput, before backedService) backedService {
	backed, notes := backPorts(in)
	made := append([]*model.Service{in.service.publish(backed)}, in.service.hosts(backed)...)
	for i, s := range made {
		j := slices.IndexFunc(before.services, func(b *model.Service) bool { return b.ID == s.ID })
		if j >= 0 {
			made[i] = kept(before.services[j], s)
		}
	}
	return backedService{made, notes}
}

// backedPort is a port of a service with the endpoints that answer for it, by address.
type backedPort struct {
	port
	endpoints []endpoint
}

func backPorts(in backedInput) ([]backedPort, []model.Diagnostic) {
	s := in.service
	var ports []backedPort
	var diagnostics []model.Diagnostic
	for _, p := range s.ports {
		candidates := slices.DeleteFunc(slices.Clone(s.endpoints), func(e endpoint) bool {
			return e.port != p.Name || e.pod != nil && slices.Contains(in.lost, loss{s.servicePort(p), e.pod.id})
		})
		chosen := usable(candidates)
		safe := slices.DeleteFunc(slices.Clone(chosen), endpoint.besideSidecar)
		ports = append(ports, backedPort{p, safe})
		diagnostics = append(diagnostics, ambiguousEndpoints(s, p, chosen)...)
		diagnostics = append(diagnostics, unmeshedEndpoints(s, p, safe, in.permissive)...)
	}
	return ports, diagnostics
}

// usable are the endpoints that get traffic, by address, as kube-proxy chooses them: those that are ready; in an address
// family without a ready one, those that terminate and still serve.
func usable(candidates []endpoint) []endpoint {
	is4 := func(e endpoint) bool { return e.address.Addr().Is4() }
	ready := map[bool]bool{}
	for _, e := range candidates {
		ready[is4(e)] = ready[is4(e)] || e.ready
	}
	chosen := slices.DeleteFunc(slices.Clone(candidates), func(e endpoint) bool {
		return !e.ready && (ready[is4(e)] || !e.draining)
	})
	return perAddress(slices.SortedFunc(slices.Values(chosen), compareEndpoints))
}

// compareEndpoints orders by address, and of two for one address puts that first whose pod is known.
func compareEndpoints(a, b endpoint) int {
	return cmp.Or(a.address.Compare(b.address), b.podID().Compare(a.podID()), cmp.Compare(a.host, b.host), cmp.Compare(a.zone, b.zone))
}

// perAddress leaves one endpoint for each address; while slices are rewritten, two may hold it. Where they name two pods,
// neither is known to be there.
func perAddress(endpoints []endpoint) []endpoint {
	var kept []endpoint
	for _, e := range endpoints {
		last := len(kept) - 1
		switch {
		case last < 0 || kept[last].address != e.address:
			kept = append(kept, e)
		case e.pod != nil && e.pod != kept[last].pod:
			kept[last].pod, kept[last].ambiguous = nil, true
		}
	}
	return kept
}

// podID is the pod at the endpoint; zero when that is not known.
func (e endpoint) podID() model.ProxyID {
	if e.pod == nil {
		return model.ProxyID{}
	}
	return e.pod.id
}

func ambiguousEndpoints(s *service, p port, endpoints []endpoint) []model.Diagnostic {
	unclear := addresses(endpoints, func(e endpoint) bool { return e.ambiguous })
	if len(unclear) == 0 {
		return nil
	}
	return []model.Diagnostic{model.Note(model.AmbiguousAddress, p.at,
		fmt.Sprintf("port %d of service %s has %s that several pods share: %s",
			p.Port, s.id, count(len(unclear), "endpoint at an address", "endpoints at addresses"), some(unclear))).
		Did("taken as having no known identity, and left out where one of the pods has a sidecar")}
}

func unmeshedEndpoints(s *service, p port, endpoints []endpoint, permissive bool) []model.Diagnostic {
	bare := addresses(endpoints, func(e endpoint) bool { return !e.ambiguous && (e.pod == nil || !e.pod.sidecar) })
	if len(bare) == 0 {
		return nil
	}
	did := "left out in SMI mode"
	if permissive {
		did = "called in plaintext in permissive mode"
	}
	return []model.Diagnostic{model.Note(model.UnmeshedEndpoint, p.at,
		fmt.Sprintf("port %d of service %s has %s without a sidecar: %s", p.Port, s.id, count(len(bare), "endpoint", "endpoints"), some(bare))).
		Did(did)}
}

func addresses(endpoints []endpoint, which func(endpoint) bool) []netip.AddrPort {
	var found []netip.AddrPort
	for _, e := range endpoints {
		if which(e) {
			found = append(found, e.address)
		}
	}
	return found
}

// publish is the service with its ports.
func (s *service) publish(ports []backedPort) *model.Service {
	published := &model.Service{
		ID:        s.id,
		Addresses: model.ListOf(s.addresses...),
		Headless:  isHeadless(s.object),
		Ports:     modelPorts(ports, func(endpoint) bool { return true }),
		Assumed:   isAssumed(s.object),
		Created:   s.object.CreationTimestamp.UTC(),
		From:      refTo("Service", s.object),
	}
	if isExternalName(s.object) {
		published.ExternalName = s.object.Spec.ExternalName
	}
	return published
}

// hosts are the services of the hosts of a headless service, such as mysql-0.mysql: one for each host name that is
// published, so that it stays while its pod is not ready.
func (s *service) hosts(ports []backedPort) []*model.Service {
	if !isHeadless(s.object) {
		return nil
	}
	var names []string
	for _, e := range s.endpoints {
		if e.host != "" {
			names = append(names, e.host)
		}
	}
	slices.Sort(names)
	var hosts []*model.Service
	for _, name := range slices.Compact(names) {
		host := s.publish(nil)
		host.ID.Name = name + "." + s.id.Name
		host.Parent = s.id
		host.Ports = modelPorts(ports, func(e endpoint) bool { return e.host == name })
		hosts = append(hosts, host)
	}
	return hosts
}

func modelPorts(ports []backedPort, which func(endpoint) bool) model.List[model.Port] {
	all := make([]model.Port, 0, len(ports))
	for _, p := range ports {
		var endpoints []model.Endpoint
		for _, e := range p.endpoints {
			if which(e) {
				endpoints = append(endpoints, e.publish())
			}
		}
		all = append(all, model.Port{
			Number: p.number(), Name: p.Name, Protocol: p.protocol, Endpoints: model.ListOf(endpoints...),
		})
	}
	slices.SortFunc(all, func(a, b model.Port) int { return cmp.Compare(a.Number, b.Number) })
	return model.ListOf(all...)
}

func (e endpoint) publish() model.Endpoint {
	published := model.Endpoint{Address: e.address, Zone: e.zone}
	if e.pod != nil {
		published.Proxy, published.Identity, published.Sidecar = e.pod.id, e.pod.identity, e.pod.sidecar
	}
	return published
}
