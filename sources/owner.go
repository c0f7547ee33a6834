package sources

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// ownersOf indexes the workloads that were written, to follow owner references through them.
func ownersOf(workloads []*workload) owners {
	o := make(owners, len(workloads))
	for _, w := range workloads {
		o[w.ref] = w
	}
	return o
}

// owners are the workloads that were written.
type owners map[model.Ref]*workload

func (o owners) has(ref model.Ref) bool {
	_, ok := o[ref]
	return ok
}

// lineage is what is written in a pod of what made it.
type lineage struct {
	controller model.Ref
	// hash is that of the ReplicaSet.
	hash string
}

func lineageOf(pod *corev1.Pod) lineage {
	return lineage{controllerOf(pod), pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]}
}

// sameMaker says that two pods have one name, and are of one lineage.
func sameMaker(p, q *corev1.Pod) bool {
	return p.Name == q.Name && p.Namespace == q.Namespace && lineageOf(p) == lineageOf(q)
}

// chain is what made a pod, what made that, and so on.
func (o owners) chain(pod lineage) []model.Ref {
	var chain []model.Ref
	ref := pod.controller
	for ref != (model.Ref{}) && !slices.Contains(chain, ref) {
		chain = append(chain, ref)
		w, ok := o[ref]
		if !ok {
			ref = deploymentOf(ref, pod.hash)
			continue
		}
		ref = controllerOf(w.meta)
	}
	return chain
}

// staffed are the workloads some pod of which was written, finished or not. Equal lineages are the same by pointer.
func (o owners) staffed(pods []*lineage) map[model.Ref]bool {
	staffed := map[model.Ref]bool{}
	seen := map[*lineage]bool{}
	for i, l := range pods {
		if i > 0 && l == pods[i-1] || seen[l] {
			continue
		}
		seen[l] = true
		for _, ref := range o.chain(*l) {
			staffed[ref] = true
		}
	}
	return staffed
}

// controllerOf is the owner that made the object; zero when none did.
func controllerOf(o metav1.Object) model.Ref {
	for _, owner := range o.GetOwnerReferences() {
		if isTrue(owner.Controller) {
			return model.Ref{Kind: owner.Kind, Namespace: o.GetNamespace(), Name: owner.Name}
		}
	}
	return model.Ref{}
}

// deploymentOf tells the Deployment from a ReplicaSet that was not written: it names its ReplicaSets
// <deployment>-<hash>, and labels their pods with the hash.
func deploymentOf(ref model.Ref, hash string) model.Ref {
	name, ok := strings.CutSuffix(ref.Name, "-"+hash)
	if ref.Kind != "ReplicaSet" || hash == "" || !ok {
		return model.Ref{}
	}
	return model.Ref{Kind: "Deployment", Namespace: ref.Namespace, Name: name}
}
