package sources

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// resolvedTopology is who exists, and the stages in which that was found out.
type resolvedTopology struct {
	topology
	notes []model.Diagnostic

	workloads   stage[workloadLists, *workloads]
	names       namespaceNames
	order       stage[[]*corev1.Pod, *podOrder]
	live        stage[*podOrder, []*corev1.Pod]
	pods        stage[podsInput, *pods]
	accounts    stage[accountsInput, []model.Diagnostic]
	selection   stage[selectionInput[*pod], *selection[*pod]]
	written     stage[publishedLists, *published]
	found       stage[servicesInput, *servicesFound]
	shares      stage[sharesInput, *shares]
	published   stage[publishInput, *publishedServices]
	made        stage[proxiesInput, *proxiesMade]
	runners     stage[identitiesInput, map[model.Identity]bool]
	memberIndex stage[[]*model.Proxy, *memberIndex]
}

// topologyFrom finds who exists. Members are decided by selectors, endpoints by what the cluster publishes; where
// two services cannot share a port of a pod, both sides lose the same service port, so that nothing half works.
func topologyFrom(objects Objects, permissive bool, before *resolvedTopology) *resolvedTopology {
	t := &resolvedTopology{}
	t.workloads = before.workloads.again(workloadListsOf(objects), readWorkloads)
	t.names = before.names.again(objects, t.workloads.out)
	found, namespaceNotes := resolveNamespaces(objects, t.names.inhabited())
	namespaces := found.inOrder()
	t.order = before.order.again(objects.Pods, orderPods)
	t.live = before.live.again(t.order.out, livePods)
	t.pods = before.pods.again(podsInput{t.live.out, t.workloads.out, namespaces}, resolvePods)
	t.accounts = before.accounts.again(accountsInput{objects.ServiceAccounts, objects.Broken, t.pods.out.people}, unknownAccounts)
	t.selection = before.selection.again(selectionInput[*pod]{objects.Services, t.pods.out.all}, selectLive)
	t.written = before.written.again(publishedLists{objects.EndpointSlices, objects.Endpoints}, publish)
	t.found = before.found.again(servicesInput{objects.Services, t.selection.out, t.written.out, t.pods.out, namespaces}, resolveServices)
	services := t.found.out.all
	t.shares = before.shares.again(sharesInput{services, t.pods.out}, sharePorts)
	t.published = before.published.again(publishInput{services, t.shares.out, permissive}, publishServices)
	t.made = before.made.again(proxiesInput{t.pods.out, t.shares.out}, makeProxies)
	t.runners = before.runners.again(identitiesInput{namespaces, t.pods.out.people, t.workloads.out}, identitiesOf)
	t.memberIndex = before.memberIndex.again(t.made.out.all, membersByIdentity)

	t.topology = topology{
		namespaces: found.meshed(), services: t.published.out.all, proxies: t.made.out.all,
		identities: t.runners.out, served: t.memberIndex.out,
	}
	t.notes = slices.Concat(namespaceNotes, t.pods.out.notes, t.accounts.out, t.found.out.notes, t.shares.out.notes, t.published.out.notes)
	return t
}

// livePods are the pods that have not finished, by name.
func livePods(order *podOrder, _ []*corev1.Pod) []*corev1.Pod {
	live := make([]*corev1.Pod, 0, len(order.pods))
	for _, p := range order.pods {
		if !isFinished(p) {
			live = append(live, p)
		}
	}
	return live
}

// proxiesInput is all pods and what they serve.
type proxiesInput struct {
	pods   *pods
	shares *shares
}

// proxiesMade are the proxies, by name.
type proxiesMade struct {
	all []*model.Proxy

	of lineup[proxyInput, *model.Proxy]
}

func makeProxies(in proxiesInput, before *proxiesMade) *proxiesMade {
	if before == nil {
		before = &proxiesMade{}
	}
	inputs := make([]proxyInput, 0, len(in.pods.all))
	for i, p := range in.pods.all {
		inputs = append(inputs, proxyInput{p, in.shares.of[i]})
	}
	made := &proxiesMade{of: before.of.again(inputs, func(in proxyInput) *model.Proxy {
		return kept(before.proxy(in.pod.id), proxyOf(in))
	})}
	for _, proxy := range made.of.out {
		if proxy != nil {
			made.all = append(made.all, proxy)
		}
	}
	return made
}

// proxy is the proxy of that name; nil if there is none.
func (p *proxiesMade) proxy(id model.ProxyID) *model.Proxy {
	i, ok := slices.BinarySearchFunc(p.all, id, func(p *model.Proxy, id model.ProxyID) int { return p.ID.Compare(id) })
	if !ok {
		return nil
	}
	return p.all[i]
}

// topology is who exists: the namespaces of the mesh, and the services and proxies in them.
type topology struct {
	// namespaces says which namespaces are part of the mesh.
	namespaces map[string]bool
	services   []*model.Service
	proxies    []*model.Proxy

	// identities are the accounts of the workloads that exist in the mesh, injected or not. A workload that
	// is scaled to zero counts.
	identities map[model.Identity]bool
	// served are the service ports that an identity's proxies serve, with the pod port and protocol of each, without
	// repetition, by target port and then service port. A pod port is one that is the Target of some member; a number is
	// only a Service port when it is the ServicePort.Port of some member and the Target of none.
	served *memberIndex
}

// meshedNames are the names of the namespaces of the mesh, in order.
func (t topology) meshedNames() []string { return slices.Sorted(maps.Keys(t.namespaces)) }

type identitiesInput struct {
	namespaces []namespace
	people     []person
	workloads  *workloads
}

func identitiesOf(in identitiesInput, _ map[model.Identity]bool) map[model.Identity]bool {
	meshed := map[string]bool{}
	for _, ns := range in.namespaces {
		meshed[ns.name] = ns.outside == ""
	}
	identities := map[model.Identity]bool{}
	for _, p := range in.people {
		if p.meshed {
			identities[p.identity] = true
		}
	}
	for _, w := range in.workloads.all {
		if meshed[w.ref.Namespace] && w.template != nil {
			identities[podIdentity(w.ref.Namespace, w.template.Spec)] = true
		}
	}
	return identities
}

// memberIndex is the members of each identity.
type memberIndex struct {
	// identities are those that some proxy runs as, by its first proxy.
	identities []model.Identity
	of         map[model.Identity][]model.Member

	proxies []*model.Proxy
	stages  family[model.Identity, []*model.Proxy, []model.Member]
}

func membersByIdentity(proxies []*model.Proxy, before *memberIndex) *memberIndex {
	if before == nil {
		before = &memberIndex{}
	}
	if pairwise(before.proxies, proxies, sameMembers) {
		return before
	}
	m := &memberIndex{proxies: proxies, of: map[model.Identity][]model.Member{}, stages: family[model.Identity, []*model.Proxy, []model.Member]{}}
	var running [][]*model.Proxy
	index, at := map[model.Identity]int{}, 0
	for i, p := range proxies {
		// Neighbours are mostly of one workload.
		if i == 0 || p.Identity != proxies[i-1].Identity {
			known := false
			if at, known = index[p.Identity]; !known {
				at = len(running)
				index[p.Identity] = at
				m.identities, running = append(m.identities, p.Identity), append(running, nil)
			}
		}
		running[at] = append(running[at], p)
	}
	for i, identity := range m.identities {
		if members := m.stages.again(before.stages, identity, running[i], membersOf); len(members) > 0 {
			m.of[identity] = members
		}
	}
	return m
}

func sameMembers(p, q *model.Proxy) bool {
	return p.Identity == q.Identity && model.Equal(p.Members, q.Members)
}

// membersOf are the members of proxies, without repetition, in order.
func membersOf(proxies []*model.Proxy, before []model.Member) []model.Member {
	var members []model.Member
	known := map[model.Member]bool{}
	for _, p := range proxies {
		for m := range p.Members.Values() {
			if !known[m] {
				known[m] = true
				members = append(members, m)
			}
		}
	}
	slices.SortFunc(members, model.Member.Compare)
	if slices.Equal(members, before) {
		return before
	}
	return members
}
