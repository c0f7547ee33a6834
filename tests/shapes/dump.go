package shapes

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/flomesh-io/fsmc/sources"
)

// mostPods bounds the pods of a Deployment, so that a pod has the same name and address however many others there are.
const mostPods = 256

// Dump is the mesh as a cluster reports it: with the pods that run, their sidecars and addresses, and endpoints. Of the
// pods of each Deployment, the first so many are ready; the others are no endpoint of any service.
func (g Graph) Dump(pods, ready int) sources.Objects {
	o := g.Manifests(pods)
	byApp := map[types.NamespacedName][]*corev1.Pod{}
	for i, d := range o.Deployments {
		d.UID = uid("Deployment", i)
		set := replicaSet(d, i)
		o.ReplicaSets = append(o.ReplicaSets, set)
		for n := range pods {
			p := pod(set, i*mostPods+n, n < ready)
			o.Pods = append(o.Pods, p)
			byApp[appOf(p)] = append(byApp[appOf(p)], p)
		}
	}
	for i, s := range o.Services {
		address(s, i)
		o.EndpointSlices = append(o.EndpointSlices, endpointSlices(s, selected(s, byApp[appOf(s)]))...)
	}
	return o
}

func appOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetLabels()["app"]}
}

func selected(s *corev1.Service, pods []*corev1.Pod) []*corev1.Pod {
	selector := labels.SelectorFromSet(s.Spec.Selector)
	return slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool { return !selector.Matches(labels.Set(p.Labels)) })
}

func uid(kind string, n int) types.UID { return types.UID(fmt.Sprintf("%s-%08x", kind, n)) }

func replicaSet(d *appsv1.Deployment, n int) *appsv1.ReplicaSet {
	all := map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: "5d8f9c7b6"}
	for _, key := range []string{"app", "version"} {
		all[key] = d.Labels[key]
	}
	template := d.Spec.Template
	template.Labels = all
	return &appsv1.ReplicaSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ReplicaSet"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: d.Name + "-5d8f9c7b6", UID: uid("ReplicaSet", n), Labels: all,
			OwnerReferences: owner("Deployment", d.Name, d.UID),
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: d.Spec.Replicas, Selector: &metav1.LabelSelector{MatchLabels: all}, Template: template,
		},
	}
}

func owner(kind, name string, id types.UID) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, UID: id, Controller: new(true)}}
}

// pod is the n-th pod of the mesh, injected and running.
func pod(set *appsv1.ReplicaSet, n int, ready bool) *corev1.Pod {
	all := map[string]string{sources.ProxyUUIDLabel: fmt.Sprintf("00000000-0000-4000-8000-%012x", n)}
	for _, key := range []string{"app", "version", appsv1.DefaultDeploymentUniqueLabelKey} {
		all[key] = set.Labels[key]
	}
	spec := set.Spec.Template.Spec
	spec.NodeName = fmt.Sprintf("node-%d", n%100)
	spec.InitContainers = []corev1.Container{sidecar()}
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	ip := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&0xff, n&0xff)
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: set.Namespace, Name: fmt.Sprintf("%s-%05x", set.Name, n), UID: uid("Pod", n), Labels: all,
			OwnerReferences: owner("ReplicaSet", set.Name, set.UID),
		},
		Spec: spec,
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}},
		},
	}
}

func sidecar() corev1.Container {
	return corev1.Container{
		Name: "envoy", Image: "envoyproxy/envoy:v1.40.0", Args: []string{"--config-path", "/etc/envoy/bootstrap.yaml"},
		RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
	}
}

func address(s *corev1.Service, n int) {
	s.UID = uid("Service", n)
	s.Spec.ClusterIP = fmt.Sprintf("172.20.%d.%d", n>>8, n&0xff)
	s.Spec.ClusterIPs = []string{s.Spec.ClusterIP}
	s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
}

// endpointSlices are those of one Service, of at most 100 endpoints each, as Kubernetes cuts them.
func endpointSlices(s *corev1.Service, pods []*corev1.Pod) []*discoveryv1.EndpointSlice {
	const most = 100
	var all []*discoveryv1.EndpointSlice
	for chunk := range slices.Chunk(pods, most) {
		slice := &discoveryv1.EndpointSlice{
			TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
			ObjectMeta: metav1.ObjectMeta{
				Namespace: s.Namespace, Name: fmt.Sprintf("%s-%05x", s.Name, len(all)),
				UID:    types.UID(fmt.Sprintf("%s-slice-%d", s.UID, len(all))),
				Labels: map[string]string{discoveryv1.LabelServiceName: s.Name},
			},
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports: []discoveryv1.EndpointPort{{
				Name: new("http"), Port: new(int32(targetPort)), Protocol: new(corev1.ProtocolTCP),
			}},
		}
		for _, p := range chunk {
			slice.Endpoints = append(slice.Endpoints, endpoint(p))
		}
		all = append(all, slice)
	}
	return all
}

func endpoint(p *corev1.Pod) discoveryv1.Endpoint {
	ready := p.Status.Conditions[0].Status == corev1.ConditionTrue
	return discoveryv1.Endpoint{
		Addresses:  []string{p.Status.PodIP},
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &ready, Terminating: new(false)},
		NodeName:   new(p.Spec.NodeName),
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
	}
}
