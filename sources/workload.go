package sources

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/flomesh-io/fsmc/model"
)

// workloadLists are the objects that make pods.
type workloadLists struct {
	statefulSets           []*appsv1.StatefulSet
	deployments            []*appsv1.Deployment
	daemonSets             []*appsv1.DaemonSet
	replicaSets            []*appsv1.ReplicaSet
	replicationControllers []*corev1.ReplicationController
	jobs                   []*batchv1.Job
	cronJobs               []*batchv1.CronJob
}

func workloadListsOf(o Objects) workloadLists {
	return workloadLists{o.StatefulSets, o.Deployments, o.DaemonSets, o.ReplicaSets, o.ReplicationControllers, o.Jobs, o.CronJobs}
}

// workloads are the objects that make pods, in the order in which their pods choose names: StatefulSets first, as their
// pods' names are known to clients.
type workloads struct {
	all    []*workload
	owners owners
	made   map[metav1.Object]*workload
}

// readWorkloads makes the workloads anew whose objects are not those of before.
func readWorkloads(in workloadLists, before *workloads) *workloads {
	w := &workloads{made: map[metav1.Object]*workload{}}
	var known map[metav1.Object]*workload
	if before != nil {
		known = before.made
	}
	w.all = slices.Concat(
		list(in.statefulSets, statefulSet, w.made, known),
		list(in.deployments, deployment, w.made, known),
		list(in.daemonSets, daemonSet, w.made, known),
		list(in.replicaSets, replicaSet, w.made, known),
		list(in.replicationControllers, replicationController, w.made, known),
		list(in.jobs, job, w.made, known),
		list(in.cronJobs, cronJob, w.made, known))
	w.owners = ownersOf(w.all)
	return w
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
	// faulty is why a cluster would refuse it.
	faulty workloadFault
}

// workloadFault is a field and what is wrong with it; empty for nothing.
type workloadFault struct{ field, why string }

func list[T metav1.Object](objects []T, convert func(T) workload, now, before map[metav1.Object]*workload) []*workload {
	workloads := make([]*workload, 0, len(objects))
	for _, o := range inOrder(objects) {
		workloads = append(workloads, reused(now, before, metav1.Object(o), func(metav1.Object) *workload {
			w := convert(o)
			w.faulty.field, w.faulty.why = w.fault()
			return &w
		}))
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
func (w *workload) fault() (field, why string) {
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
