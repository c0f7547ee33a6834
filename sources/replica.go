package sources

import (
	"cmp"
	"fmt"
	"maps"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// crew are the pods that a cluster would make of the workloads.
type crew struct {
	pods        []*corev1.Pod
	diagnostics []model.Diagnostic
	// of are the pods of each workload.
	of map[*workload][]*corev1.Pod

	workloads *workloads
	makers    makers
	lineages  lineup[*corev1.Pod, *lineage]
}

type crewInput struct {
	workloads *workloads
	// pods are those that were written.
	pods []*corev1.Pod
}

// assumePods makes the pods that a cluster would make of the workloads. A workload that came from a cluster, or some
// pod of which was written, has the pods that it has.
func assumePods(in crewInput, before *crew) *crew {
	if before == nil {
		before = &crew{}
	}
	if before.workloads == in.workloads && pairwise(before.lineages.in, in.pods, sameMaker) {
		same := *before
		same.lineages.in = in.pods
		return &same
	}
	owners, known := in.workloads.owners, before.of
	made := &crew{of: map[*workload][]*corev1.Pod{}, workloads: in.workloads, makers: makersFrom(owners, before.makers)}
	made.lineages = before.lineages.again(in.pods, made.makers.lineage)
	staffed := owners.staffed(made.lineages.out)
	made.makers = made.makers.tidy(made.lineages.out)
	names := make(map[model.ProxyID]bool, len(in.pods))
	free := len(in.pods) == 0 && in.workloads.uniqueNames()
	for _, w := range in.workloads.all {
		if isMade(w.meta) || staffed[w.ref] || owners.has(controllerOf(w.meta)) {
			continue
		}
		if w.faulty.why != "" {
			made.diagnostics = append(made.diagnostics, model.Note(model.InvalidWorkload, w.ref.At(w.faulty.field),
				fmt.Sprintf("%s cannot make pods: %s", w.ref, w.faulty.why)).Did("no pods are assumed for it"))
			continue
		}
		if w.replicas > maxReplicas {
			made.diagnostics = append(made.diagnostics, model.Note(model.InvalidWorkload, w.ref.At("spec.replicas"),
				fmt.Sprintf("%s wants %d pods", w.ref, w.replicas)).Did(fmt.Sprintf("%d pods are assumed for it", maxReplicas)))
		}
		if len(names) == 0 {
			for _, p := range in.pods {
				names[idOf(p)] = true
			}
		}
		made.of[w] = known[w]
		if !free || !w.namedPlainly(known[w]) {
			made.of[w] = w.pods(names, known[w])
		}
		made.pods = append(made.pods, made.of[w]...)
	}
	return made
}

// uniqueNames says whether no two workloads of a namespace have one name. Their pods' names cannot meet then.
func (w *workloads) uniqueNames() bool {
	seen := make(map[model.ProxyID]bool, len(w.all))
	for _, w := range w.all {
		id := model.ProxyID{Namespace: w.ref.Namespace, Name: w.ref.Name}
		if seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}

// namedPlainly says whether pods are all that the workload wants, under the names that they have when none is taken.
func (w *workload) namedPlainly(pods []*corev1.Pod) bool {
	n := min(w.replicas, maxReplicas)
	if int(n) != len(pods) || n == 0 {
		return false
	}
	for i, p := range pods {
		if p.Name != w.ref.Name+"-"+strconv.Itoa(int(w.first)+i) {
			return false
		}
	}
	return true
}

// maxReplicas bounds the pods that are assumed for one workload, so that a slip of the pen does not fill the memory.
const maxReplicas = 10_000

// pods are the pods of the workload, under names that are not taken yet; the names are taken then. A pod is made of the
// workload, its name and its ordinal, so that one of before that has them is the same.
func (w *workload) pods(taken map[model.ProxyID]bool, before []*corev1.Pod) []*corev1.Pod {
	replicas := min(w.replicas, maxReplicas)
	pods := make([]*corev1.Pod, 0, replicas)
	for i := range replicas {
		ordinal := w.first + i
		name := freeName(w, ordinal, taken)
		taken[model.ProxyID{Namespace: w.ref.Namespace, Name: name}] = true
		if int(i) < len(before) && before[i].Name == name {
			pods = append(pods, before[i])
			continue
		}
		pods = append(pods, w.pod(name, ordinal))
	}
	return pods
}

// freeName is <workload>-<ordinal>. Where that is taken, by a pod that was written or by a workload of another kind,
// the kind is in the name as well, as often as it takes.
func freeName(w *workload, ordinal int32, taken map[model.ProxyID]bool) string {
	base := w.ref.Name
	for {
		name := base + "-" + strconv.Itoa(int(ordinal))
		if !taken[model.ProxyID{Namespace: w.ref.Namespace, Name: name}] {
			return name
		}
		base += "-" + strings.ToLower(w.ref.Kind)
	}
}

// pod is a pod as the workload's controller makes it, running and ready.
func (w *workload) pod(name string, ordinal int32) *corev1.Pod {
	pod := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.ref.Namespace, Name: name,
			Labels:      w.template.Labels,
			Annotations: with(w.template.Annotations, AssumedAnnotation, "pod"),
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: w.apiVersion, Kind: w.ref.Kind, Name: w.ref.Name, Controller: new(true)},
			},
		},
		Spec:   w.template.Spec,
		Status: running(corev1.PodStatus{}),
	}
	pod.Spec.ServiceAccountName = podIdentity(w.ref.Namespace, w.template.Spec).ServiceAccount
	if w.labels != nil {
		pod.Labels = merged(pod.Labels, w.labels(name, ordinal))
	}
	if w.ref.Kind == "StatefulSet" {
		pod.Spec.Hostname, pod.Spec.Subdomain = name, w.subdomain
	}
	return pod
}

// merged are the labels with more of them; nil labels are none.
func merged(labels, more map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, labels)
	maps.Copy(all, more)
	return all
}

// running is the status of a pod that no cluster has made yet: what was written of it stays.
func running(status corev1.PodStatus) corev1.PodStatus {
	status.Phase = cmp.Or(status.Phase, corev1.PodRunning)
	if len(status.Conditions) == 0 {
		status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return status
}
