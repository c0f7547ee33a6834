package sources

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// podsInput is every pod that has not finished, by name, in the mesh or not: addresses are told apart over all of them.
type podsInput struct {
	objects    []*corev1.Pod
	workloads  *workloads
	namespaces []namespace
}

// pods are the pods that have not finished.
type pods struct {
	// all are in order of their names.
	all        []*pod
	byID       layered[model.ProxyID, *pod]
	byAddress  layered[netip.Addr, []*pod]
	generation *generation
	// changed is how byID and byAddress differ from those of before.
	changed podChanges
	// crowded are the addresses that several pods have.
	crowded map[netip.Addr]bool
	// notes are about them.
	notes []model.Diagnostic

	// people are those that pods run as.
	people []person

	workloads  *workloads
	namespaces map[string]*namespace
	makers     makers
	inputs     lineup[*corev1.Pod, *lineage]
	read       lineup[podInput, readPod]
}

// pod is a pod that has not finished.
type pod struct {
	object    *corev1.Pod
	id        model.ProxyID
	identity  model.Identity
	addresses []netip.Addr
	// workload is what made the pod; zero for a bare one.
	workload model.Ref
	// origin is where the pod was written, or the template of which it was or would be made.
	origin model.Ref
	// meshed says that the pod is in a namespace of the mesh, sidecar that it has our sidecar or would get it.
	meshed, sidecar bool
	// metrics says that the pod's metrics are, or would be, scraped.
	metrics bool
}

func resolvePods(in podsInput, before *pods) *pods {
	if before == nil {
		before = &pods{}
	}
	found := &pods{generation: new(generation), workloads: in.workloads, namespaces: map[string]*namespace{}}
	for _, ns := range in.namespaces {
		found.namespaces[ns.name] = kept(before.namespaces[ns.name], &ns)
	}
	found.read = before.read.again(found.inputsOf(in.objects, before), resolvePod)
	found.all = make([]*pod, 0, len(in.objects))
	told := faults{}
	for _, read := range found.read.out {
		found.all = append(found.all, read.pod)
		for _, f := range read.faults {
			told.add(f)
		}
	}
	found.index(before)
	found.people = before.people
	if !pairwise(before.all, found.all, sameStanding) {
		found.people = peopleOf(found.all)
	}
	found.notes = slices.Concat(told.diagnostics(), sharedAddresses(found))
	return found
}

// inputsOf are what pods are made of. Where they stand for those of before, so do their makers.
func (p *pods) inputsOf(objects []*corev1.Pod, before *pods) []podInput {
	if p.workloads == before.workloads && maps.Equal(p.namespaces, before.namespaces) && pairwise(before.inputs.in, objects, sameMaker) {
		p.makers, p.inputs = before.makers, lineup[*corev1.Pod, *lineage]{objects, before.inputs.out}
		inputs := slices.Clone(before.read.in)
		for i, o := range objects {
			inputs[i].object = o
		}
		return inputs
	}
	p.makers = makersFrom(p.workloads.owners, before.makers)
	p.inputs = before.inputs.again(objects, p.makers.lineage)
	inputs := make([]podInput, 0, len(objects))
	for i, o := range objects {
		inputs = append(inputs, podInput{o, p.makers.of(p.inputs.out[i]), p.namespaces[o.Namespace]})
	}
	p.makers = p.makers.tidy(p.inputs.out)
	return inputs
}

// podInput is all that a pod is made of.
type podInput struct {
	object *corev1.Pod
	maker  *maker
	// namespace is nil if there is none.
	namespace *namespace
}

// readPod is a pod and what is wrong with it.
type readPod struct {
	pod    *pod
	faults []podFault
}

func resolvePod(in podInput) readPod {
	o := in.object
	meshed := in.namespace != nil && in.namespace.outside == ""
	p := &pod{object: o, id: idOf(o), identity: podIdentity(o.Namespace, o.Spec), meshed: meshed, workload: in.maker.workload}
	p.origin = cmp.Or(in.maker.template, refTo("Pod", o))
	addresses, addressDiagnostics := podAddresses(o)
	p.addresses = addresses
	if !p.meshed {
		return readPod{pod: p}
	}
	chosen, choiceDiagnostics := injectionChoice(o.Annotations, p.at("metadata.annotations"))
	verdict := decideInjection(o, chosen, *in.namespace)
	p.sidecar = verdict.sidecar
	p.metrics = strings.EqualFold(o.Annotations["prometheus.io/scrape"], "true") || !isReal(o) && in.namespace.metrics
	if isReal(o) {
		choiceDiagnostics = nil
	}
	return readPod{p, slices.Concat(
		faultsOf(refTo("Pod", o), addressDiagnostics),
		faultsOf(cmp.Or(p.workload, p.origin), slices.Concat(choiceDiagnostics, noSidecar(p, verdict))))}
}

// at is a field of the pod, where it was written.
func (p *pod) at(field string) model.Ref { return below(p.origin, field) }

// below is a field of what stands at an origin.
func below(origin model.Ref, field string) model.Ref {
	if origin.Field != "" {
		field = origin.Field + "." + field
	}
	return origin.At(field)
}

// String is <namespace>/<name>.
func (p *pod) String() string { return p.id.String() }

// faults are diagnostics of pods, once for each code and thing at fault: replicas have the faults of their workload.
type faults map[fault]model.Diagnostic

type fault struct {
	of   model.Ref
	code model.Code
}

// podFault is a diagnostic and the thing at fault.
type podFault struct {
	of         model.Ref
	diagnostic model.Diagnostic
}

func faultsOf(of model.Ref, diagnostics []model.Diagnostic) []podFault {
	var all []podFault
	for _, d := range diagnostics {
		all = append(all, podFault{of, d})
	}
	return all
}

func (f faults) add(p podFault) {
	if _, ok := f[fault{p.of, p.diagnostic.Code}]; !ok {
		f[fault{p.of, p.diagnostic.Code}] = p.diagnostic
	}
}

func (f faults) diagnostics() []model.Diagnostic {
	var all []model.Diagnostic
	//ordered: sorted below
	for _, d := range f {
		all = append(all, d)
	}
	return model.SortDiagnostics(all)
}

func noSidecar(p *pod, verdict verdict) []model.Diagnostic {
	if verdict.why == "" {
		return nil
	}
	of := "pod " + p.id.String()
	if p.workload != (model.Ref{}) {
		of = p.workload.String()
	}
	return []model.Diagnostic{model.Note(model.NoSidecar, p.origin.Object(),
		fmt.Sprintf("%s has no sidecar: %s", of, verdict.why)).Mend(verdict.fix)}
}

// podAddresses are the addresses of a pod, IPv4 first.
func podAddresses(o *corev1.Pod) ([]netip.Addr, []model.Diagnostic) {
	var addresses []netip.Addr
	var diagnostics []model.Diagnostic
	for _, text := range writtenAddresses(o) {
		address, err := parseAddress(text)
		if err != nil {
			diagnostics = append(diagnostics, model.Note(model.InvalidAddress, refTo("Pod", o).At("status.podIP"), err.Error()).
				Did("the pod is taken as not having it"))
			continue
		}
		addresses = append(addresses, address)
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return slices.Compact(addresses), diagnostics
}

func writtenAddresses(o *corev1.Pod) []string {
	var texts []string
	if o.Status.PodIP != "" {
		texts = append(texts, o.Status.PodIP)
	}
	for _, ip := range o.Status.PodIPs {
		if ip.IP != o.Status.PodIP {
			texts = append(texts, ip.IP)
		}
	}
	return texts
}

// person is whom pods run as, by the first of those that stand side by side.
type person struct {
	identity model.Identity
	// real says that a cluster has made the pod, meshed that it is in a namespace of the mesh.
	real, meshed bool
	origin       model.Ref
}

func (p *pod) person() person { return person{p.identity, isReal(p.object), p.meshed, p.origin} }

func sameStanding(p, q *pod) bool { return p.person() == q.person() }

func peopleOf(pods []*pod) []person {
	var people []person
	for _, p := range pods {
		if last := len(people) - 1; last < 0 || people[last].identity != p.identity || people[last].meshed != p.meshed || people[last].real != isReal(p.object) {
			people = append(people, p.person())
		}
	}
	return people
}

// accountsInput is the accounts that were written, or could not be read, and whom pods run as.
type accountsInput struct {
	accounts []*corev1.ServiceAccount
	broken   []model.Ref
	people   []person
}

// unknownAccounts tells of accounts that pods would need and that were not written. Pods that run have theirs, and
// every namespace has the account default.
func unknownAccounts(in accountsInput, _ []model.Diagnostic) []model.Diagnostic {
	known := map[model.Identity]bool{}
	for _, o := range in.accounts {
		known[model.Identity{Namespace: o.Namespace, ServiceAccount: o.Name}] = true
	}
	var diagnostics []model.Diagnostic
	for _, p := range in.people {
		account := p.identity.ServiceAccount
		if !p.meshed || known[p.identity] || account == defaultAccount || p.real ||
			isBroken(Objects{Broken: in.broken}, "ServiceAccount", p.identity.Namespace, account) {
			continue
		}
		known[p.identity] = true
		diagnostics = append(diagnostics, model.Note(model.UnknownAccount, below(p.origin, "spec.serviceAccountName"),
			fmt.Sprintf("the input has no ServiceAccount %s", p.identity)).Did("the identity is used as written"))
	}
	return diagnostics
}

// sharedAddresses tells of sidecars that do not have their address for themselves.
func sharedAddresses(pods *pods) []model.Diagnostic {
	var diagnostics []model.Diagnostic
	if len(pods.crowded) == 0 {
		return nil
	}
	told := map[netip.Addr]bool{}
	for _, p := range pods.all {
		for _, address := range p.addresses {
			if !p.sidecar || !pods.crowded[address] || told[address] {
				continue
			}
			told[address] = true
			sharing := pods.byAddress.get(address)
			diagnostics = append(diagnostics, model.Note(model.ProxyOwnAddress, refTo("Pod", p.object).At("status.podIP"),
				fmt.Sprintf("%s is the address of several pods: %s", address, some(sharing))).
				Did("an endpoint there is taken for one of them only when it names that pod"))
		}
	}
	return diagnostics
}

// proxyInput is a pod and the service ports that it serves.
type proxyInput struct {
	pod   *pod
	share *portShare
}

// proxyOf makes a proxy of a pod with a sidecar; nil for any other. A pod without an address has none yet: which families it
// serves is not known before.
func proxyOf(in proxyInput) *model.Proxy {
	p := in.pod
	if !p.sidecar || len(p.addresses) == 0 {
		return nil
	}
	from := refTo("Pod", p.object)
	if isAssumed(p.object) && p.object.Annotations[AssumedAnnotation] == "pod" {
		from = p.origin.Object()
	}
	proxy := &model.Proxy{
		ID: p.id, Identity: p.identity,
		Addresses: model.ListOf(p.addresses...),
		Metrics:   p.metrics,
		Workload:  p.workload,
		Assumed:   isAssumed(p.object),
		From:      from,
	}
	if in.share != nil {
		proxy.Members = model.ListOf(in.share.members...)
	}
	return proxy
}

func idOf(o metav1.Object) model.ProxyID {
	return model.ProxyID{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// defaultAccount is the ServiceAccount that every namespace has, and that pods run as which name none.
const defaultAccount = "default"

// podIdentity is whom a pod runs as.
func podIdentity(namespace string, spec corev1.PodSpec) model.Identity {
	account := cmp.Or(spec.ServiceAccountName, spec.DeprecatedServiceAccount, defaultAccount)
	return model.Identity{Namespace: namespace, ServiceAccount: account}
}

// isFinished says whether the pod has run to its end; its address may be another pod's by now.
func isFinished(o *corev1.Pod) bool {
	return o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed
}

// isReal says whether a cluster has made the pod, so that it has a sidecar or not already.
func isReal(o *corev1.Pod) bool {
	return isMade(o) || o.Status.PodIP != "" && !isAssumed(o)
}
