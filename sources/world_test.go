package sources

import (
	"fmt"
	"math/rand/v2"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"
	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"
	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// world is random objects that are edited at random. There are few names, so that everything meets: references that lead
// somewhere and that do not, addresses and ports that several want, selectors that match too much. An object is never
// written into; an edit puts another one in its place.
type world struct {
	*rand.Rand
	objects Objects
}

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0))}
	for range 300 {
		w.edit()
	}
	return w
}

func (w *world) among(words ...string) string { return words[w.IntN(len(words))] }

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

// or is the first of two things, and now and then the second.
func (w *world) or(right, slip string) string {
	if w.chance(10) {
		return slip
	}
	return right
}

func (w *world) namespace() string {
	return w.among("shop", "shop", "shop", "shop", "shop", "shop", "bank", "out")
}

func (w *world) name() string { return w.among("web", "api", "db", "cache") }

// edit changes one object: another one of its name comes, or it goes.
func (w *world) edit() string {
	o := &w.objects
	edits := []struct {
		name   string
		weight int
		edit   func()
	}{
		{"namespace", 2, func() { put(w, &o.Namespaces, w.namespaceObject(), 20) }},
		{"account", 3, func() { put(w, &o.ServiceAccounts, &corev1.ServiceAccount{ObjectMeta: w.meta()}, 40) }},
		{"service", 8, func() { put(w, &o.Services, w.service(), 15) }},
		{"endpoints", 2, func() { put(w, &o.Endpoints, w.endpoints(), 60) }},
		{"slice", 5, func() { put(w, &o.EndpointSlices, w.slice(), 40) }},
		{"pod", 8, func() { put(w, &o.Pods, w.pod(), 30) }},
		{"deployment", 6, func() { put(w, &o.Deployments, w.deployment(), 15) }},
		{"stateful set", 3, func() { put(w, &o.StatefulSets, w.statefulSet(), 30) }},
		{"replica set", 2, func() { put(w, &o.ReplicaSets, w.replicaSet(), 50) }},
		{"mesh config", 2, func() { put(w, &o.MeshConfigs, w.meshConfig(), 20) }},
		{"target", 8, func() { put(w, &o.TrafficTargets, w.target(), 15) }},
		{"group", 6, func() { put(w, &o.HTTPRouteGroups, w.group(), 15) }},
		{"route", 4, func() { put(w, &o.TCPRoutes, w.route(), 25) }},
		{"UDP route", 1, func() { put(w, &o.UDPRoutes, &specsv1alpha4.UDPRoute{ObjectMeta: w.meta()}, 50) }},
		{"split", 6, func() { put(w, &o.TrafficSplits, w.split(), 20) }},
		{"broken", 3, w.breakOne},
		{"order", 1, w.shuffleOne},
	}
	total := 0
	for _, e := range edits {
		total += e.weight
	}
	at := w.IntN(total)
	for _, e := range edits {
		if at -= e.weight; at < 0 {
			e.edit()
			return e.name
		}
	}
	return ""
}

// put puts an object in the place of the one of its name, or behind all; or takes that one away. The list is a new one.
func put[T metav1.Object](w *world, list *[]T, object T, removed int) {
	edited := slices.Clone(*list)
	i := slices.IndexFunc(edited, func(o T) bool { return byName(o, object) == 0 })
	switch {
	case i < 0:
		edited = append(edited, object)
	case w.chance(removed):
		edited = slices.Delete(edited, i, i+1)
	default:
		edited[i] = object
	}
	*list = edited
}

func (w *world) breakOne() {
	ref := model.Ref{
		Kind:      w.among("Service", "HTTPRouteGroup", "TCPRoute", "ServiceAccount", "Endpoints", "EndpointSlice", "MeshConfig"),
		Namespace: w.namespace(), Name: w.among("lost", "web-x"),
	}
	broken := slices.Clone(w.objects.Broken)
	if len(broken) > 2 {
		broken = broken[1:]
	}
	w.objects.Broken = append(broken, ref)
}

func (w *world) shuffleOne() {
	o := &w.objects
	o.Pods, o.Services, o.TrafficTargets = shuffled(w, o.Pods), shuffled(w, o.Services), shuffled(w, o.TrafficTargets)
	o.EndpointSlices, o.Deployments = shuffled(w, o.EndpointSlices), shuffled(w, o.Deployments)
}

func shuffled[T any](w *world, list []T) []T {
	list = slices.Clone(list)
	w.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (w *world) meta() metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: w.namespace(), Name: w.name()}
	if w.chance(30) {
		m.CreationTimestamp = metav1.Unix(int64(1e9+w.IntN(3)), 0)
	}
	return m
}

func (w *world) named(names ...string) metav1.ObjectMeta {
	m := w.meta()
	m.Name = w.among(names...)
	return m
}

func (w *world) labels() map[string]string {
	return map[string]string{"app": w.name(), "tier": w.among("a", "b")}
}

func (w *world) injection() map[string]string {
	switch w.IntN(6) {
	case 0:
		return map[string]string{InjectionAnnotation: w.among("enabled", "disabled", "maybe"), AliasPrefix + "sidecar-injection": "no"}
	case 1, 2:
		return map[string]string{InjectionAnnotation: w.among("enabled", "disabled")}
	default:
		return nil
	}
}

func (w *world) namespaceObject() *corev1.Namespace {
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: w.namespace(), Labels: map[string]string{MonitoredByLabel: w.or("fsm", "other")},
		Annotations: map[string]string{InjectionAnnotation: w.or("enabled", "disabled"), MetricsAnnotation: w.among("enabled", "disabled")},
	}}
	if w.chance(10) {
		n.Labels[IgnoreLabel] = ""
	}
	return n
}

func (w *world) service() *corev1.Service {
	s := &corev1.Service{ObjectMeta: w.meta()}
	s.Spec.Selector = map[string]string{"app": w.name()}
	if w.chance(20) {
		s.Spec.Selector["tier"] = w.among("a", "b")
	}
	for _, number := range []int32{80, 3306}[:1+w.IntN(2)] {
		p := corev1.ServicePort{Name: fmt.Sprint("p", number), Port: number}
		p.TargetPort = []intstr.IntOrString{
			intstr.FromInt32(8080), intstr.FromString("web"), intstr.FromInt32(8080), intstr.FromString("web"), intstr.FromString("none"), intstr.FromInt32(15001), {},
		}[w.IntN(7)]
		if w.chance(50) {
			p.AppProtocol = new(w.or(w.among("http", "tcp", "grpc"), "what"))
		}
		s.Spec.Ports = append(s.Spec.Ports, p)
	}
	switch w.IntN(10) {
	case 0:
		s.Spec.ClusterIP = corev1.ClusterIPNone
	case 1:
		s.Spec.ClusterIP = w.among("10.0.0.1", "10.0.0.2", "127.0.0.1", "x")
	case 2:
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "example.com"
	case 3:
		s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyPreferDualStack)
	case 4:
		s.Spec.Selector = nil
	case 5:
		s.Spec.PublishNotReadyAddresses = true
	}
	return s
}

func (w *world) podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		ServiceAccountName: w.among("", "web", "api", "db"), HostNetwork: w.chance(3),
		Containers: []corev1.Container{{Name: w.among("app", "app", "envoy"), Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080 + int32(w.IntN(2))}}}},
	}
}

// address is one that some objects have already.
func (w *world) address() string {
	return w.among("10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "fd00::1", "100.64.0.9", "169.254.0.1")
}

func (w *world) pod() *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: w.named("web-0", "web-1", "api-0", "bare"), Spec: w.podSpec()}
	p.Labels, p.Annotations = w.labels(), w.injection()
	if w.chance(50) {
		p.UID, p.Status.PodIP = types.UID(w.name()), w.address()
	}
	if w.chance(30) {
		p.Labels["pod-template-hash"] = "1"
		p.OwnerReferences = []metav1.OwnerReference{{Kind: w.among("ReplicaSet", "StatefulSet"), Name: w.name() + w.among("", "-1"), Controller: new(true)}}
	}
	if w.chance(10) {
		p.Status.Phase = corev1.PodFailed
	}
	if w.chance(30) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionStatus(w.among("True", "False"))}}
	}
	return p
}

func (w *world) template() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.labels(), Annotations: w.injection()}, Spec: w.podSpec()}
}

func (w *world) selector(t corev1.PodTemplateSpec) *metav1.LabelSelector {
	if w.chance(10) {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"app": "none"}}
	}
	return &metav1.LabelSelector{MatchLabels: t.Labels}
}

func (w *world) deployment() *appsv1.Deployment {
	t := w.template()
	return &appsv1.Deployment{ObjectMeta: w.meta(), Spec: appsv1.DeploymentSpec{Replicas: new(int32(w.IntN(4))), Template: t, Selector: w.selector(t)}}
}

func (w *world) statefulSet() *appsv1.StatefulSet {
	t := w.template()
	return &appsv1.StatefulSet{ObjectMeta: w.meta(), Spec: appsv1.StatefulSetSpec{
		Replicas: new(int32(w.IntN(3))), Template: t, Selector: w.selector(t), ServiceName: w.name(),
	}}
}

func (w *world) replicaSet() *appsv1.ReplicaSet {
	t := w.template()
	r := &appsv1.ReplicaSet{ObjectMeta: w.meta(), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(w.IntN(3))), Template: t, Selector: w.selector(t)}}
	if w.chance(50) {
		r.Name += "-1"
		r.OwnerReferences = []metav1.OwnerReference{{Kind: "Deployment", Name: w.name(), Controller: new(true)}}
	}
	return r
}

func (w *world) slice() *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: w.named("web-x", "api-x", "db-x", "cache-x"), AddressType: discoveryv1.AddressTypeIPv4}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: w.name()}
	s.Ports = []discoveryv1.EndpointPort{{Name: new(w.among("p80", "p3306")), Port: new(int32(8080 + w.IntN(2)))}}
	for range w.IntN(4) {
		e := discoveryv1.Endpoint{Addresses: []string{w.address()}, Conditions: discoveryv1.EndpointConditions{Ready: new(w.chance(70)), Terminating: new(w.chance(20))}}
		if w.chance(50) {
			e.TargetRef = &corev1.ObjectReference{Kind: "Pod", Name: w.among("web-0", "web-1", "api-0", "bare")}
		}
		if w.chance(30) {
			e.Hostname, e.Zone = new(w.among("a", "b", "-")), new(w.among("z1", "z2"))
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return s
}

func (w *world) endpoints() *corev1.Endpoints {
	return &corev1.Endpoints{ObjectMeta: w.meta(), Subsets: []corev1.EndpointSubset{{
		Addresses: []corev1.EndpointAddress{{IP: w.address()}}, NotReadyAddresses: []corev1.EndpointAddress{{IP: w.address()}},
		Ports: []corev1.EndpointPort{{Name: w.among("p80", "p3306"), Port: int32(w.IntN(3)) * 8080}},
	}}}
}

func (w *world) meshConfig() *configv1alpha2.MeshConfig {
	c := &configv1alpha2.MeshConfig{ObjectMeta: metav1.ObjectMeta{Namespace: ControlPlaneNamespace, Name: w.among(MeshConfigName, "second")}}
	c.Spec.Traffic.EnablePermissiveTrafficPolicyMode, c.Spec.Traffic.EnableEgress = w.chance(50), w.chance(50)
	return c
}

func (w *world) subject() accessv1alpha3.IdentityBindingSubject {
	return accessv1alpha3.IdentityBindingSubject{
		Kind: w.or("ServiceAccount", "User"), Namespace: w.or(w.namespace(), ""), Name: w.or(w.among("web", "api", "db", "default"), w.among("wep", "*")),
	}
}

func (w *world) target() *TrafficTarget {
	t := &TrafficTarget{Version: "v1alpha3"}
	t.ObjectMeta = w.meta()
	t.Spec.Destination = w.subject()
	if w.chance(90) {
		t.Spec.Destination.Namespace = t.Namespace
	}
	for range 3 - w.IntN(4) {
		t.Spec.Sources = append(t.Spec.Sources, w.subject())
	}
	for range 3 - w.IntN(4) {
		r := accessv1alpha3.TrafficTargetRule{
			Kind: w.or(w.among("HTTPRouteGroup", "HTTPRouteGroup", "TCPRoute"), w.among("UDPRoute", "HTTPRouteGrop")), Name: w.or(w.name(), w.among("lost", "wep")),
		}
		if w.chance(30) {
			r.Matches = []string{w.among("a", "b", "c")}
		}
		t.Spec.Rules = append(t.Spec.Rules, r)
	}
	if w.chance(10) {
		t.Version, t.Port = "v1alpha2", new(w.IntN(3)*8080)
	}
	return t
}

func (w *world) group() *HTTPRouteGroup {
	g := &HTTPRouteGroup{Version: "v1alpha4"}
	g.ObjectMeta = w.meta()
	for _, name := range []string{"a", "b", "c"}[:3-w.IntN(4)] {
		g.Spec.Matches = append(g.Spec.Matches, specsv1alpha4.HTTPMatch{
			Name: w.or(name, "a"), PathRegex: w.or(w.among("/a", "/b.*", ""), "("), Methods: []string{w.or(w.among("GET", "POST", "*"), "GETT")},
			Headers: map[string]string{w.among("x-a", "host"): w.or(w.among("1", ".*"), "[")},
		})
	}
	return g
}

func (w *world) route() *TCPRoute {
	r := &TCPRoute{Version: "v1alpha4"}
	r.ObjectMeta = w.meta()
	for range w.IntN(3) {
		r.Spec.Matches.Ports = append(r.Spec.Matches.Ports, []int{80, 8080, 8080, 3306, 70000}[w.IntN(5)])
	}
	return r
}

func (w *world) split() *TrafficSplit {
	s := &TrafficSplit{Version: "v1alpha4"}
	s.ObjectMeta = w.meta()
	s.Spec.Service = w.or(w.name(), w.among("db.shop", "web.bank.svc", "wep", "web:80", "a.b.c.d", "lost"))
	for range 3 - w.IntN(4) {
		s.Spec.Backends = append(s.Spec.Backends, splitv1alpha4.TrafficSplitBackend{Service: w.or(w.name(), w.among("cach", "lost")), Weight: w.IntN(50) - w.IntN(3)})
	}
	if w.chance(30) {
		s.Spec.Matches = []corev1.TypedLocalObjectReference{{Kind: w.among("HTTPRouteGroup", "HTTPRouteGroup", "TCPRoute"), Name: w.among("web", "api", "lost")}}
	}
	return s
}
