package sources

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/flomesh-io/fsmc/model"
)

// workloadsOf are the objects that make pods, in the order in which their pods choose names: StatefulSets first, as
// their pods' names are known to clients.
func workloadsOf(objects Objects) []workload {
	return slices.Concat(
		list(objects.StatefulSets, statefulSet),
		list(objects.Deployments, deployment),
		list(objects.DaemonSets, daemonSet),
		list(objects.ReplicaSets, replicaSet),
		list(objects.ReplicationControllers, replicationController),
		list(objects.Jobs, job),
		list(objects.CronJobs, cronJob))
}

// workload is an object that makes pods.
type workload struct {
	ref        model.Ref
	apiVersion string
	meta       *metav1.ObjectMeta
	// template is nil when none was written.
	template *corev1.PodTemplateSpec
	// field is where the template stands.
	field string
	// replicas is how many pods are wanted, the first of which has the ordinal first.
	replicas, first int32
	// selector is what must match the template's labels; nil when the cluster makes it.
	selector *metav1.LabelSelector
	// labels are what the controller of the kind adds to a pod.
	labels func(pod string, ordinal int32) map[string]string
	// subdomain is the governing service of a StatefulSet, whose pods have host names; empty for other kinds.
	subdomain string
}

func list[T metav1.Object](objects []T, convert func(T) workload) []workload {
	workloads := make([]workload, 0, len(objects))
	for _, o := range inOrder(objects) {
		workloads = append(workloads, convert(o))
	}
	return workloads
}

func statefulSet(o *appsv1.StatefulSet) workload {
	w := workload{
		ref: refTo("StatefulSet", o), apiVersion: "apps/v1", meta: &o.ObjectMeta,
		template: &o.Spec.Template, field: "spec.template",
		replicas: orOne(o.Spec.Replicas), selector: required(o.Spec.Selector), labels: ordinalLabels,
		subdomain: o.Spec.ServiceName,
	}
	if o.Spec.Ordinals != nil {
		w.first = o.Spec.Ordinals.Start
	}
	return w
}

func deployment(o *appsv1.Deployment) workload {
	return workload{
		ref: refTo("Deployment", o), apiVersion: "apps/v1", meta: &o.ObjectMeta,
		template: &o.Spec.Template, field: "spec.template",
		replicas: orOne(o.Spec.Replicas), selector: required(o.Spec.Selector),
	}
}

func daemonSet(o *appsv1.DaemonSet) workload {
	return workload{
		ref: refTo("DaemonSet", o), apiVersion: "apps/v1", meta: &o.ObjectMeta,
		template: &o.Spec.Template, field: "spec.template", replicas: 1, selector: required(o.Spec.Selector),
	}
}

func replicaSet(o *appsv1.ReplicaSet) workload {
	return workload{
		ref: refTo("ReplicaSet", o), apiVersion: "apps/v1", meta: &o.ObjectMeta,
		template: &o.Spec.Template, field: "spec.template",
		replicas: orOne(o.Spec.Replicas), selector: required(o.Spec.Selector),
	}
}

func replicationController(o *corev1.ReplicationController) workload {
	w := workload{
		ref: refTo("ReplicationController", o), apiVersion: "v1", meta: &o.ObjectMeta,
		template: o.Spec.Template, field: "spec.template", replicas: orOne(o.Spec.Replicas),
	}
	if len(o.Spec.Selector) > 0 {
		w.selector = &metav1.LabelSelector{MatchLabels: o.Spec.Selector}
	}
	return w
}

func job(o *batchv1.Job) workload {
	names := map[string]string{batchv1.JobNameLabel: o.Name, "job-name": o.Name}
	return workload{
		ref: refTo("Job", o), apiVersion: "batch/v1", meta: &o.ObjectMeta,
		template: &o.Spec.Template, field: "spec.template", replicas: parallel(o.Spec),
		labels: func(string, int32) map[string]string { return names },
	}
}

func cronJob(o *batchv1.CronJob) workload {
	w := workload{
		ref: refTo("CronJob", o), apiVersion: "batch/v1", meta: &o.ObjectMeta,
		template: &o.Spec.JobTemplate.Spec.Template, field: "spec.jobTemplate.spec.template",
		replicas: parallel(o.Spec.JobTemplate.Spec),
	}
	if isTrue(o.Spec.Suspend) {
		w.replicas = 0
	}
	return w
}

// parallel is how many pods of a Job run at once.
func parallel(spec batchv1.JobSpec) int32 {
	n := orOne(spec.Parallelism)
	if spec.Completions != nil {
		n = min(n, *spec.Completions)
	}
	if isTrue(spec.Suspend) {
		n = min(n, 0)
	}
	return n
}

func orOne(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func isTrue(b *bool) bool { return b != nil && *b }

// required is a selector that has to be there: a missing one is an empty one, which no cluster takes.
func required(selector *metav1.LabelSelector) *metav1.LabelSelector {
	if selector == nil {
		return &metav1.LabelSelector{}
	}
	return selector
}

// ordinalLabels are what the StatefulSet controller adds to a pod.
func ordinalLabels(pod string, ordinal int32) map[string]string {
	return map[string]string{appsv1.StatefulSetPodNameLabel: pod, appsv1.PodIndexLabel: fmt.Sprint(ordinal)}
}

// fault says why a cluster would refuse the workload, and which field is at fault; both are empty when it would not.
func (w workload) fault() (field, why string) {
	if w.template == nil {
		return "spec", "it has no pod template"
	}
	if w.replicas < 0 {
		return "spec", fmt.Sprintf("it wants %d pods", w.replicas)
	}
	if w.selector == nil {
		return "", ""
	}
	selector, err := metav1.LabelSelectorAsSelector(w.selector)
	switch {
	case err != nil:
		return "spec.selector", "its selector is not valid: " + err.Error()
	case selector.Empty():
		return "spec", "it has no selector"
	case !selector.Matches(labels.Set(w.template.Labels)):
		return "spec.selector", "its selector does not match the labels of its own pod template"
	default:
		return "", ""
	}
}

// maxReplicas bounds the pods that are assumed for one workload, so that a slip of the pen does not fill the memory.
const maxReplicas = 10_000

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

// isMade says whether a cluster has made the object.
func isMade(o metav1.Object) bool { return o.GetUID() != "" || o.GetResourceVersion() != "" }
