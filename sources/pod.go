package sources

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// resolvePods finds every pod that has not finished, in the mesh or not: addresses are told apart over all of them.
func resolvePods(objects Objects, namespaces namespaces) (pods, []model.Diagnostic) {
	found := pods{byID: map[model.ProxyID]*pod{}, byAddress: map[netip.Addr][]*pod{}}
	owners := ownersOf(workloadsOf(objects))
	told := faults{}
	for _, o := range inOrder(objects.Pods) {
		if isFinished(o) {
			continue
		}
		p := resolvePod(o, owners, namespaces, told)
		found.all = append(found.all, p)
		found.byID[p.id] = p
		for _, address := range p.addresses {
			found.byAddress[address] = append(found.byAddress[address], p)
		}
	}
	return found, slices.Concat(told.diagnostics(), unknownAccounts(objects, found), sharedAddresses(found))
}

// pods are the pods that have not finished.
type pods struct {
	// all are in order of their names.
	all       []*pod
	byID      map[model.ProxyID]*pod
	byAddress map[netip.Addr][]*pod
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

func resolvePod(o *corev1.Pod, owners owners, namespaces namespaces, told faults) *pod {
	p := &pod{object: o, id: idOf(o), identity: podIdentity(o.Namespace, o.Spec), meshed: namespaces.has(o.Namespace)}
	if chain := owners.chain(o); len(chain) > 0 {
		p.workload = chain[len(chain)-1]
	}
	p.origin = refTo("Pod", o)
	if w, ok := owners[p.workload]; ok {
		p.origin = w.ref.At(w.field)
	}
	addresses, addressDiagnostics := podAddresses(o)
	p.addresses = addresses
	if !p.meshed {
		return p
	}
	ns := namespaces[o.Namespace]
	chosen, choiceDiagnostics := injectionChoice(o.Annotations, p.at("metadata.annotations"))
	verdict := decideInjection(o, chosen, ns)
	p.sidecar = verdict.sidecar
	p.metrics = strings.EqualFold(o.Annotations["prometheus.io/scrape"], "true") || !isReal(o) && ns.metrics
	if isReal(o) {
		choiceDiagnostics = nil
	}
	told.add(refTo("Pod", o), addressDiagnostics)
	told.add(cmp.Or(p.workload, p.origin), slices.Concat(choiceDiagnostics, noSidecar(p, verdict)))
	return p
}

// at is a field of the pod, where it was written.
func (p *pod) at(field string) model.Ref {
	if p.origin.Field != "" {
		field = p.origin.Field + "." + field
	}
	return p.origin.At(field)
}

// String is <namespace>/<name>.
func (p *pod) String() string { return p.id.String() }

// faults are diagnostics of pods, once for each code and thing at fault: replicas have the faults of their workload.
type faults map[fault]model.Diagnostic

type fault struct {
	of   model.Ref
	code model.Code
}

func (f faults) add(of model.Ref, diagnostics []model.Diagnostic) {
	for _, d := range diagnostics {
		if _, ok := f[fault{of, d.Code}]; !ok {
			f[fault{of, d.Code}] = d
		}
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

// unknownAccounts tells of accounts that pods would need and that were not written. Pods that run have theirs, and
// every namespace has the account default.
func unknownAccounts(objects Objects, pods pods) []model.Diagnostic {
	known := map[model.Identity]bool{}
	for _, o := range objects.ServiceAccounts {
		known[model.Identity{Namespace: o.Namespace, ServiceAccount: o.Name}] = true
	}
	var diagnostics []model.Diagnostic
	for _, p := range pods.all {
		account := p.identity.ServiceAccount
		if !p.meshed || isReal(p.object) || known[p.identity] || account == defaultAccount ||
			isBroken(objects, "ServiceAccount", p.id.Namespace, account) {
			continue
		}
		known[p.identity] = true
		diagnostics = append(diagnostics, model.Note(model.UnknownAccount, p.at("spec.serviceAccountName"),
			fmt.Sprintf("the input has no ServiceAccount %s", p.identity)).Did("the identity is used as written"))
	}
	return diagnostics
}

// sharedAddresses tells of sidecars that do not have their address for themselves.
func sharedAddresses(pods pods) []model.Diagnostic {
	var diagnostics []model.Diagnostic
	told := map[netip.Addr]bool{}
	for _, p := range pods.all {
		for _, address := range p.addresses {
			sharing := pods.byAddress[address]
			if !p.sidecar || len(sharing) < 2 || told[address] {
				continue
			}
			told[address] = true
			diagnostics = append(diagnostics, model.Note(model.ProxyOwnAddress, refTo("Pod", p.object).At("status.podIP"),
				fmt.Sprintf("%s is the address of several pods: %s", address, some(sharing))).
				Did("an endpoint there is taken for one of them only when it names that pod"))
		}
	}
	return diagnostics
}

// resolveProxies makes a proxy of each pod with a sidecar. A pod without an address has none yet: which families it
// serves is not known before.
func resolveProxies(pods pods, shares shares) []*model.Proxy {
	var proxies []*model.Proxy
	for _, p := range pods.all {
		if !p.sidecar || len(p.addresses) == 0 {
			continue
		}
		from := refTo("Pod", p.object)
		if isAssumed(p.object) && p.object.Annotations[AssumedAnnotation] == "pod" {
			from = p.origin.Object()
		}
		proxies = append(proxies, &model.Proxy{
			ID: p.id, Identity: p.identity,
			Addresses: model.ListOf(p.addresses...),
			Members:   model.ListOf(shares.members[p.id]...),
			Metrics:   p.metrics,
			Workload:  p.workload,
			Assumed:   isAssumed(p.object),
			From:      from,
		})
	}
	return proxies
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
