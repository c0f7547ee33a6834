package sources

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
)

// resolveNamespaces finds the namespaces of the mesh: those whose label flomesh.io/monitored-by is the mesh's name.
// Those of Kubernetes and of the control plane never are. The label flomesh.io/ignore only keeps the injector away.
func resolveNamespaces(objects Objects, inhabited []string) (namespaces, []model.Diagnostic) {
	found := namespaces{}
	var diagnostics []model.Diagnostic
	for _, o := range inOrder(objects.Namespaces) {
		ns, more := resolveNamespace(o, meshName(objects))
		found[o.Name] = ns
		diagnostics = append(diagnostics, more...)
	}
	return found, append(diagnostics, outside(objects, found, inhabited)...)
}

// namespaces are the namespaces that were written or assumed, by name.
type namespaces map[string]namespace

// namespace is what a Namespace says of the pods in it.
type namespace struct {
	name string
	// outside says why the namespace is not part of the mesh; empty when it is.
	outside string
	// ignored says that the injector passes the namespace by.
	ignored   bool
	injection choice
	metrics   bool
}

// has says whether the namespace is part of the mesh.
func (n namespaces) has(name string) bool {
	ns, ok := n[name]
	return ok && ns.outside == ""
}

// inOrder are the namespaces by name.
func (n namespaces) inOrder() []namespace {
	all := make([]namespace, 0, len(n))
	for _, name := range slices.Sorted(maps.Keys(n)) {
		all = append(all, n[name])
	}
	return all
}

func (n namespaces) meshed() map[string]bool {
	meshed := map[string]bool{}
	//ordered: it fills a map
	for name := range n {
		if n.has(name) {
			meshed[name] = true
		}
	}
	return meshed
}

// meshName is the mesh that is asked for.
func meshName(objects Objects) string { return cmp.Or(objects.MeshName, DefaultMeshName) }

// systemNamespaces are never part of a mesh.
var systemNamespaces = []string{metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease, ControlPlaneNamespace}

func resolveNamespace(o *corev1.Namespace, mesh string) (namespace, []model.Diagnostic) {
	ns := namespace{name: o.Name, outside: whyOutside(o, mesh)}
	if ns.outside != "" {
		return ns, mixedMonitor(o, mesh)
	}
	at := refTo("Namespace", o)
	injection, injectionDiagnostics := injectionChoice(o.Annotations, at.At("metadata.annotations"))
	metrics, metricsDiagnostics := metricsChoice(o.Annotations, at.At("metadata.annotations"))
	ns.injection, ns.metrics = injection, metrics == on
	_, ns.ignored = metadata(o.Labels, IgnoreLabel)
	return ns, slices.Concat(mixedMonitor(o, mesh), injectionDiagnostics, metricsDiagnostics)
}

func whyOutside(o *corev1.Namespace, mesh string) string {
	monitor, monitored := metadata(o.Labels, MonitoredByLabel)
	switch {
	case slices.Contains(systemNamespaces, o.Name):
		return "it is never part of a mesh"
	case !monitored:
		return "it has no label " + MonitoredByLabel
	case !isMesh(o.Labels, mesh):
		return fmt.Sprintf("its label %s is %q, not %q", MonitoredByLabel, monitor, mesh)
	default:
		return ""
	}
}

// isMesh says whether the label names the mesh. In the older spelling, osm is what the default mesh was called.
func isMesh(labels map[string]string, mesh string) bool {
	if name, ok := labels[MonitoredByLabel]; ok {
		return name == mesh
	}
	name, ok := labels[alias(MonitoredByLabel)]
	return ok && isMeshAlias(name, mesh)
}

func isMeshAlias(name, mesh string) bool {
	return name == mesh || mesh == DefaultMeshName && name == "osm"
}

// mixedMonitor finds two spellings of the label that do not both name the mesh, nor both the same other one.
func mixedMonitor(o *corev1.Namespace, mesh string) []model.Diagnostic {
	name, older := o.Labels[MonitoredByLabel], o.Labels[alias(MonitoredByLabel)]
	if name == older || name == mesh && isMeshAlias(older, mesh) {
		return nil
	}
	return mixedSpelling(o.Labels, MonitoredByLabel, refTo("Namespace", o).At("metadata.labels"))
}

// outside tells of the namespaces that hold something for a mesh and are not part of this one.
func outside(objects Objects, found namespaces, inhabited []string) []model.Diagnostic {
	var diagnostics []model.Diagnostic
	for _, name := range inhabited {
		if found.has(name) {
			continue
		}
		why := "the input has no such Namespace"
		if ns, ok := found[name]; ok {
			why = ns.outside
		} else if isBroken(objects, "Namespace", "", name) {
			why = "its Namespace could not be read"
		}
		diagnostics = append(diagnostics, model.Note(model.NamespaceOutside, model.Ref{Kind: "Namespace", Name: name},
			fmt.Sprintf("namespace %s is not part of mesh %s: %s", name, meshName(objects), why)).
			Did("its workloads, services and policies are passed over"))
	}
	return diagnostics
}

// namespaceNames are the names of the namespaces that objects are in, each list by itself: most lists do not change.
type namespaceNames struct {
	workloads stage[*workloads, []string]
	pods      stage[[]*corev1.Pod, []string]
	services  stage[[]*corev1.Service, []string]
	accounts  stage[[]*corev1.ServiceAccount, []string]
	endpoints stage[[]*corev1.Endpoints, []string]
	slices    stage[[]*discoveryv1.EndpointSlice, []string]
	targets   stage[[]*TrafficTarget, []string]
	groups    stage[[]*HTTPRouteGroup, []string]
	tcp       stage[[]*TCPRoute, []string]
	udp       stage[[]*specsv1alpha4.UDPRoute, []string]
	splits    stage[[]*TrafficSplit, []string]
}

func (n namespaceNames) again(o Objects, w *workloads) namespaceNames {
	return namespaceNames{
		workloads: n.workloads.again(w, workloadNamespaces),
		pods:      n.pods.again(o.Pods, namespacesOf),
		services:  n.services.again(o.Services, namespacesOf),
		accounts:  n.accounts.again(o.ServiceAccounts, namespacesOf),
		endpoints: n.endpoints.again(o.Endpoints, namespacesOf),
		slices:    n.slices.again(o.EndpointSlices, namespacesOf),
		targets:   n.targets.again(o.TrafficTargets, namespacesOf),
		groups:    n.groups.again(o.HTTPRouteGroups, namespacesOf),
		tcp:       n.tcp.again(o.TCPRoutes, namespacesOf),
		udp:       n.udp.again(o.UDPRoutes, namespacesOf),
		splits:    n.splits.again(o.TrafficSplits, namespacesOf),
	}
}

// inhabited are the namespaces that hold workloads, services or policies, in order.
func (n namespaceNames) inhabited() []string {
	return distinctNames(n.workloads.out, n.pods.out, n.services.out, n.targets.out, n.groups.out, n.tcp.out, n.udp.out, n.splits.out)
}

// used are the namespaces that hold anything, in order.
func (n namespaceNames) used() []string {
	return distinctNames(n.inhabited(), n.accounts.out, n.endpoints.out, n.slices.out)
}

func distinctNames(lists ...[]string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(lists...))))
}

func workloadNamespaces(w *workloads, _ []string) []string {
	metas := make([]*metav1.ObjectMeta, 0, len(w.all))
	for _, w := range w.all {
		metas = append(metas, w.meta)
	}
	return namespacesOf(metas, nil)
}

// namespacesOf are the namespaces of objects. Neighbours are mostly in one.
func namespacesOf[T metav1.Object](objects []T, _ []string) []string {
	names := map[string]bool{}
	last := ""
	for i, o := range objects {
		if name := o.GetNamespace(); i == 0 || name != last {
			names[name] = true
			last = name
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// isBroken says whether the object was written but could not be read.
func isBroken(objects Objects, kind, namespace, name string) bool {
	return slices.ContainsFunc(objects.Broken, func(r model.Ref) bool {
		return r.Kind == kind && r.Namespace == namespace && r.Name == name
	})
}

// assumeNamespaces makes the namespaces that are used and were not written, as `fsm namespace add` leaves them. One
// that was written and could not be read is not assumed: what it says of the mesh is not known.
func assumeNamespaces(objects Objects, used []string, before map[missingNamespace]*corev1.Namespace) (map[missingNamespace]*corev1.Namespace, []*corev1.Namespace, []model.Diagnostic) {
	written := map[string]bool{}
	for _, o := range objects.Namespaces {
		written[o.Name] = true
	}
	made := map[missingNamespace]*corev1.Namespace{}
	var assumed []*corev1.Namespace
	var diagnostics []model.Diagnostic
	for _, name := range used {
		if written[name] || isBroken(objects, "Namespace", "", name) {
			continue
		}
		assumed = append(assumed, reused(made, before, missingNamespace{name, meshName(objects)}, missingNamespace.assume))
		if !slices.Contains(systemNamespaces, name) {
			diagnostics = append(diagnostics, model.Note(model.NamespaceAssumed, model.Ref{Kind: "Namespace", Name: name},
				fmt.Sprintf("namespace %s is used, and the input has no such Namespace", name)).
				Did(fmt.Sprintf("it is taken as part of mesh %s, with injection on", meshName(objects))))
		}
	}
	return made, assumed, diagnostics
}

// missingNamespace is a namespace that was not written, and the mesh that it is taken as part of.
type missingNamespace struct{ name, mesh string }

func (n missingNamespace) assume() *corev1.Namespace {
	if slices.Contains(systemNamespaces, n.name) {
		return assumedNamespace(n.name, nil, nil)
	}
	return assumedNamespace(n.name, map[string]string{MonitoredByLabel: n.mesh}, map[string]string{InjectionAnnotation: "enabled"})
}

func assumedNamespace(name string, labels, annotations map[string]string) *corev1.Namespace {
	return &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, Annotations: with(annotations, AssumedAnnotation, "namespace")},
	}
}

// with is a copy of values with one more.
func with(values map[string]string, key, value string) map[string]string {
	more := maps.Clone(values)
	if more == nil {
		more = map[string]string{}
	}
	more[key] = value
	return more
}

// alias is the older spelling of a label or annotation.
func alias(key string) string { return AliasPrefix + strings.TrimPrefix(key, Prefix) }

// mixedSpelling tells of both spellings of a label or annotation, when both are there.
func mixedSpelling(values map[string]string, key string, at model.Ref) []model.Diagnostic {
	value, ok := values[key]
	older, both := values[alias(key)]
	if !ok || !both {
		return nil
	}
	return []model.Diagnostic{model.Note(model.MixedSpelling, at,
		fmt.Sprintf("%s is %q, and %s is %q", key, value, alias(key), older)).
		Did(fmt.Sprintf("%s counts", key)).Mend("keep one of the two")}
}
