package compiler

import (
	"cmp"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// inbound is the part of a configuration that is about calls that others make.
type inbound struct {
	listener *Resource // nil when nothing is served
	routes   []*Resource
	clusters []*Resource
}

// door is one port of the application, and the services that lead to it. It understands HTTP or it does not: all who
// enter are judged alike, whatever name they called.
type door struct {
	target  uint16
	http    bool
	members []model.Member
}

func (c *compilation) inboundFor(class classSpec, members []model.Member) inbound {
	c.memo.counters.Views++
	identity := model.Identity{Namespace: class.Namespace, ServiceAccount: class.ServiceAccount}
	spec := inboundListenerSpec{Families: class.Families}
	var result inbound
	for _, d := range doors(members) {
		policies, refs := c.policies(identity, d)
		from := append(c.memberRefs(d), refs...)
		result.clusters = append(result.clusters, resourceOf(c.memo, clusterType, localClusterSpec{
			Name: localCluster(d.target), Port: d.target, HTTP: d.http, From: c.memberRefs(d),
		}, buildLocalCluster))
		if d.http {
			result.routes = append(result.routes, resourceOf(c.memo, routesType, inboundRoutesSpec{
				Name: inboundRoutes(d.target), Host: inboundVirtualHost(d.target), Cluster: localCluster(d.target),
				Policies: policies, From: from,
			}, buildInboundRoutes))
			from = c.memberRefs(d) // the listener does not change with policy
		}
		spec.Chains = append(spec.Chains, c.doorChains(d, policies)...)
		spec.From = append(spec.From, from...)
	}
	if len(spec.Chains) > 0 {
		slices.SortFunc(spec.From, model.Ref.Compare)
		spec.From = slices.Compact(spec.From)
		result.listener = resourceOf(c.memo, listenerType, spec, buildInboundListener)
	}
	return result
}

// doors groups members, which are in order of their target ports.
func doors(members []model.Member) []door {
	var list []door
	for _, m := range members {
		if n := len(list); n == 0 || list[n-1].target != m.Target {
			list = append(list, door{target: m.Target})
		}
		d := &list[len(list)-1]
		d.http = d.http || m.Protocol.IsHTTP()
		d.members = append(d.members, m)
	}
	return list
}

// doorChains makes one chain for each service that leads to a door.
func (c *compilation) doorChains(d door, policies []policySpec) []*part {
	var chains []*part
	for i, m := range d.members {
		if i > 0 && d.members[i-1].ServicePort.Service == m.ServicePort.Service {
			continue // another port of the same service; the SNI does not tell them apart
		}
		spec := inboundSpec{
			Name: inboundChain(m.ServicePort.Service, d.target, m.Protocol), Target: d.target,
			ServerNames: []string{fqdn(m.ServicePort.Service)}, TLS: c.tls,
		}
		if m.Headless {
			spec.ServerNames = append(spec.ServerNames, "*."+fqdn(m.ServicePort.Service))
		}
		if d.http {
			spec.Routes = inboundRoutes(d.target)
		} else {
			spec.Cluster, spec.Permissive, spec.Policies = localCluster(d.target), c.settings.Permissive, policies
		}
		chains = append(chains, partOf(c.memo, spec, buildInboundChain))
	}
	return chains
}

// policies are what the TrafficTargets of an identity say about one of its doors, and where they were written.
func (c *compilation) policies(identity model.Identity, d door) ([]policySpec, []model.Ref) {
	if d.http && c.settings.HTTPClosed {
		return nil, c.settingsRefs()
	}
	if c.settings.Permissive {
		return []policySpec{{Name: permissivePolicy, Anyone: true, Everything: true}}, c.settingsRefs()
	}
	var policies []policySpec
	var refs []model.Ref
	for p := range c.mesh.PermissionsTo(identity) {
		if policy, ok := c.policy(p, d); ok {
			policies = append(policies, policy)
			refs = append(refs, p.From)
		}
	}
	return policies, refs
}

// policy is what one permission says about a door; false when it does not open it at all.
func (c *compilation) policy(p *model.Permission, d door) (policySpec, bool) {
	spec := policySpec{Name: p.String()}
	for source := range p.Sources.Values() {
		spec.Principals = append(spec.Principals, source.URI(c.settings.TrustDomain))
	}
	if len(spec.Principals) == 0 {
		return spec, false // Envoy refuses a policy without principals
	}
	if !d.http {
		spec.Everything = true
		return spec, p.TCP.Contains(d.target)
	}
	spec.Everything = p.HTTP.Requests.All
	if !spec.Everything {
		spec.Matches = newMatchSpecs(p.HTTP.Requests)
	}
	return spec, p.HTTP.Ports.Contains(d.target) && !p.HTTP.Requests.IsZero()
}

// memberRefs are the services that lead to a door.
func (c *compilation) memberRefs(d door) []model.Ref {
	var refs []model.Ref
	for _, m := range d.members {
		if s, ok := c.mesh.Service(m.ServicePort.Service); ok {
			refs = append(refs, s.From)
		}
	}
	return slices.Compact(refs)
}

func compareMembers(a, b model.Member) int {
	return cmp.Or(a.Compare(b), cmp.Compare(a.Protocol, b.Protocol))
}
