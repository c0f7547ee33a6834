package compiler

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// addRouteTables makes one chain and one route table for each port on which HTTP services are called.
func (v *client) addRouteTables() {
	for _, u := range v.reached {
		if u.port.Protocol.IsHTTP() && v.claim(u, outboundHTTPChain(u.id.Port)) {
			v.tables[u.id.Port] = append(v.tables[u.id.Port], u)
		}
	}
	for _, port := range sortedKeys(v.tables) {
		chain := outboundHTTPSpec{Name: outboundHTTPChain(port), Routes: outboundRoutes(port)}
		v.chains[chain.Name] = partOf(v.memo, chain, buildOutboundHTTPChain)
		v.markDirect(v.tables[port])
	}
}

// markDirect notes the headless services of a route table that have pods to be called by their addresses.
func (v *client) markDirect(services []*upstream) {
	if !slices.ContainsFunc(services, func(u *upstream) bool { return u.service.Headless }) {
		return
	}
	pods := v.domains(services, noNamespace).pods
	for _, u := range services {
		if len(pods[u.id.Service]) > 0 && u.routable() {
			u.direct = true
		}
	}
}

// noNamespace is where no service is called by its bare name.
const noNamespace = ""

// within is the outbound side of the view in a namespace: services of that namespace are called by their bare names too.
// Route tables without any of them are the same in every namespace.
func (v *client) within(namespace string) (routes []*Resource, found []*findings) {
	for _, port := range sortedKeys(v.tables) {
		table, local := v.foreign[port], func(u *upstream) bool { return u.id.Service.Namespace == namespace }
		switch {
		case slices.ContainsFunc(v.tables[port], local):
			table = v.routeTable(port, v.tables[port], namespace)
		case table == nil:
			table = v.routeTable(port, v.tables[port], noNamespace)
			v.foreign[port] = table
		}
		routes, found = append(routes, table.resource), append(found, &table.findings)
	}
	return routes, found
}

// table is a route table, and what was found in making it.
type table struct {
	resource *Resource
	findings findings
}

func (v *client) routeTable(port uint16, services []*upstream, namespace string) *table {
	made, local := &table{}, *v
	local.found = &made.findings
	v = &local
	spec := outboundRoutesSpec{Name: outboundRoutes(port)}
	domains := v.domains(services, namespace)
	for _, u := range services {
		spec.From = append(spec.From, u.service.From)
		for split := range v.mesh.SplitsOf(u.id.Service) {
			spec.From = append(spec.From, split.From)
		}
		if names := domains.names[u.id.Service]; len(names) > 0 {
			host := virtualHostSpec{Name: outboundVirtualHost(u.id.Service), Domains: names, Routes: v.routesOf(u)}
			spec.Hosts = append(spec.Hosts, partOf(v.memo, host, buildVirtualHost))
		}
		if pods := domains.pods[u.id.Service]; len(pods) > 0 && u.routable() {
			host := virtualHostSpec{
				Name: directVirtualHost(u.id.Service), Domains: pods,
				Routes: []routeSpec{{Targets: []targetSpec{{Cluster: directCluster(u.id)}}}},
			}
			spec.Hosts = append(spec.Hosts, partOf(v.memo, host, buildVirtualHost))
		}
	}
	made.resource = resourceOf(v.memo, routesType, spec, buildOutboundRoutes)
	return made
}

// domains are the values of Host that belong to each service of one route table.
type domains struct {
	names map[model.ServiceID][]string
	// pods are addresses of pods of headless services that have no host name of their own: a call to one of them goes
	// to that pod, and not to another of the service.
	pods map[model.ServiceID][]string
}

// domains gives every name and address to one service: Envoy refuses a table in which a domain stands twice. Of two
// services with one name, that one has it for which it is the longer form: web.api is service web of namespace api
// before it is host web of a service api.
func (v *client) domains(services []*upstream, namespace string) domains {
	d := domains{names: map[model.ServiceID][]string{}, pods: map[model.ServiceID][]string{}}
	owner := map[string]model.ServiceID{}
	const forms = 5
	for form := range forms {
		for _, u := range services {
			names := hostnames(u.id.Service, namespace)
			if form >= len(names) {
				continue
			}
			name := names[form]
			if other, taken := owner[name]; taken {
				v.noteDomain(u, name, other)
				continue
			}
			owner[name] = u.id.Service
			d.names[u.id.Service] = append(d.names[u.id.Service], name)
		}
	}
	v.addAddresses(&d, services, owner)
	return d
}

// addAddresses gives cluster IPs to their services, and addresses of pods to StatefulSet hosts before anybody else.
func (v *client) addAddresses(d *domains, services []*upstream, owner map[string]model.ServiceID) {
	take := func(list map[model.ServiceID][]string, u *upstream, address netip.Addr) {
		literal := hostLiteral(address)
		if _, taken := owner[literal]; !taken {
			owner[literal] = u.id.Service
			list[u.id.Service] = append(list[u.id.Service], literal)
		}
	}
	for _, u := range services {
		for address := range u.service.Addresses.Values() {
			take(d.names, u, address)
		}
		if u.service.Parent != (model.ServiceID{}) {
			for e := range v.endpoints(u) {
				take(d.names, u, e.Address.Addr())
			}
		}
	}
	for _, u := range services {
		if u.service.Headless {
			for e := range v.endpoints(u) {
				if e.Sidecar {
					take(d.pods, u, e.Address.Addr())
				}
			}
		}
	}
}

// hostLiteral is an address as it stands in a Host header.
func hostLiteral(address netip.Addr) string {
	if address.Is6() {
		return "[" + address.String() + "]"
	}
	return address.String()
}

// routesOf are the routes of one service: its splits in their order, then itself.
func (v *client) routesOf(u *upstream) []routeSpec {
	var routes []routeSpec
	for split := range v.mesh.SplitsOf(u.id.Service) {
		targets := v.splitTargets(split, u)
		if split.Requests.All {
			return append(routes, routeSpec{Name: split.String(), Targets: targets})
		}
		for _, m := range newMatchSpecs(split.Requests) {
			routes = append(routes, routeSpec{Name: split.String(), Match: m, Targets: targets})
		}
	}
	return append(routes, routeSpec{Targets: v.ownTargets(u)})
}

func (v *client) noteDomain(loser *upstream, name string, winner model.ServiceID) {
	v.found.note(model.Note(model.DuplicateDomain, loser.service.From,
		fmt.Sprintf("%s is a name of service %s and of service %s", name, loser.id.Service, winner)).
		Did(fmt.Sprintf("calls to it go to %s", winner)).
		Mend("call " + fqdn(loser.id.Service) + " by its full name"))
}
