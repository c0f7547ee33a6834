package sources

import (
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// resolveTopology finds who exists. Members are decided by selectors, endpoints by what the cluster publishes; where
// two services cannot share a port of a pod, both sides lose the same service port, so that nothing half works.
func resolveTopology(objects Objects, settings model.Settings) (topology, []model.Diagnostic) {
	namespaces, namespaceDiagnostics := resolveNamespaces(objects)
	pods, podDiagnostics := resolvePods(objects, namespaces)
	services, serviceDiagnostics := resolveServices(objects, namespaces, pods)
	shares, shareDiagnostics := sharePorts(services)
	published, endpointDiagnostics := publishServices(services, pods, shares, settings)

	return newTopology(namespaces, pods, workloadsOf(objects), resolveProxies(pods, shares), published), slices.Concat(
		namespaceDiagnostics, podDiagnostics, serviceDiagnostics, shareDiagnostics, endpointDiagnostics)
}

// topology is who exists: the namespaces of the mesh, and the services and proxies in them.
type topology struct {
	// namespaces says which namespaces are part of the mesh.
	namespaces map[string]bool
	services   []*model.Service
	proxies    []*model.Proxy

	serviceByID map[model.ServiceID]*model.Service
	// identities are the accounts of the workloads that exist in the mesh, injected or not.
	identities map[model.Identity]bool
	// membersOf are the members of all proxies of an identity, without repetition, by target port and service port.
	membersOf map[model.Identity][]model.Member
}

// service finds a service of the mesh.
func (t topology) service(id model.ServiceID) (*model.Service, bool) {
	s, ok := t.serviceByID[id]
	return s, ok
}

// hasIdentity says whether some workload of the mesh runs as the identity, with a sidecar or without. A workload that
// is scaled to zero counts.
func (t topology) hasIdentity(identity model.Identity) bool { return t.identities[identity] }

// members are the service ports that the identity's proxies serve, with the pod port and protocol of each, without
// repetition, by target port and then service port. A pod port is one that is the Target of some member; a number is
// only a Service port when it is the ServicePort.Port of some member and the Target of none.
func (t topology) members(identity model.Identity) []model.Member { return t.membersOf[identity] }

func newTopology(namespaces namespaces, pods pods, workloads []workload, proxies []*model.Proxy, services []*model.Service) topology {
	t := topology{
		namespaces:  namespaces.meshed(),
		services:    services,
		proxies:     proxies,
		serviceByID: make(map[model.ServiceID]*model.Service, len(services)),
		identities:  identitiesOf(namespaces, pods, workloads),
		membersOf:   membersByIdentity(proxies),
	}
	for _, s := range services {
		t.serviceByID[s.ID] = s
	}
	return t
}

func identitiesOf(namespaces namespaces, pods pods, workloads []workload) map[model.Identity]bool {
	identities := map[model.Identity]bool{}
	for _, p := range pods.all {
		if p.meshed {
			identities[p.identity] = true
		}
	}
	for _, w := range workloads {
		if namespaces.has(w.ref.Namespace) && w.template != nil {
			identities[podIdentity(w.ref.Namespace, w.template.Spec)] = true
		}
	}
	return identities
}

func membersByIdentity(proxies []*model.Proxy) map[model.Identity][]model.Member {
	members := map[model.Identity][]model.Member{}
	known := map[model.Identity]map[model.Member]bool{}
	for _, p := range proxies {
		if known[p.Identity] == nil {
			known[p.Identity] = map[model.Member]bool{}
		}
		for m := range p.Members.Values() {
			if !known[p.Identity][m] {
				known[p.Identity][m] = true
				members[p.Identity] = append(members[p.Identity], m)
			}
		}
	}
	//ordered: each list is sorted on its own
	for identity := range members {
		slices.SortFunc(members[identity], model.Member.Compare)
	}
	return members
}
