package sources

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// assumePods makes the pods that a cluster would make of the workloads. A workload that came from a cluster, or some
// pod of which was written, has the pods that it has.
func assumePods(objects Objects) ([]*corev1.Pod, []model.Diagnostic) {
	workloads := workloadsOf(objects)
	owners := ownersOf(workloads)
	staffed := owners.staffed(objects.Pods)
	names := map[model.ProxyID]bool{}
	for _, p := range objects.Pods {
		names[idOf(p)] = true
	}
	var pods []*corev1.Pod
	var diagnostics []model.Diagnostic
	for _, w := range workloads {
		if isMade(w.meta) || staffed[w.ref] || owners.has(controllerOf(w.meta)) {
			continue
		}
		if field, why := w.fault(); why != "" {
			diagnostics = append(diagnostics, model.Note(model.InvalidWorkload, w.ref.At(field),
				fmt.Sprintf("%s cannot make pods: %s", w.ref, why)).Did("no pods are assumed for it"))
			continue
		}
		if w.replicas > maxReplicas {
			diagnostics = append(diagnostics, model.Note(model.InvalidWorkload, w.ref.At("spec.replicas"),
				fmt.Sprintf("%s wants %d pods", w.ref, w.replicas)).Did(fmt.Sprintf("%d pods are assumed for it", maxReplicas)))
			w.replicas = maxReplicas
		}
		pods = append(pods, w.pods(names)...)
	}
	return pods, diagnostics
}

// maxReplicas bounds the pods that are assumed for one workload, so that a slip of the pen does not fill the memory.
const maxReplicas = 10_000

// pods are the pods of the workload, under names that are not taken yet; the names are taken then.
func (w workload) pods(taken map[model.ProxyID]bool) []*corev1.Pod {
	pods := make([]*corev1.Pod, 0, w.replicas)
	for i := range w.replicas {
		ordinal := w.first + i
		name := freeName(w, ordinal, taken)
		taken[model.ProxyID{Namespace: w.ref.Namespace, Name: name}] = true
		pods = append(pods, w.pod(name, ordinal))
	}
	return pods
}

// freeName is <workload>-<ordinal>. Where that is taken, by a pod that was written or by a workload of another kind,
// the kind is in the name as well, as often as it takes.
func freeName(w workload, ordinal int32, taken map[model.ProxyID]bool) string {
	base := w.ref.Name
	for {
		name := fmt.Sprintf("%s-%d", base, ordinal)
		if !taken[model.ProxyID{Namespace: w.ref.Namespace, Name: name}] {
			return name
		}
		base += "-" + strings.ToLower(w.ref.Kind)
	}
}

// pod is a pod as the workload's controller makes it, running and ready.
func (w workload) pod(name string, ordinal int32) *corev1.Pod {
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
