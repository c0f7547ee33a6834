package sources

import (
	"iter"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	accessv1alpha2 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha2"
	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"
	specsv1alpha1 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha1"
	specsv1alpha2 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha2"
	specsv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha3"
	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"
	splitv1alpha1 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha1"
	splitv1alpha2 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha2"
	splitv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha3"
	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// Kind is one kind of object at one version that the mesh reads. The table of kinds serves every source.
type Kind struct {
	Group   string
	Version string
	Kind    string
	// Resource is the plural that API paths use.
	Resource string
	// ClusterScoped kinds have no namespace.
	ClusterScoped bool
	// New makes an empty object of the Go type that the kind decodes into.
	New func() metav1.Object
	// Add puts a decoded object, as made by New, into objects. What cannot be converted without widening access is not
	// put: the diagnostics say why, and the object is then broken.
	Add func(objects *Objects, object metav1.Object) []model.Diagnostic
}

// APIVersion is group/version, or the version alone in the core group.
func (k Kind) APIVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

// Kinds iterates over every kind that the mesh reads.
func Kinds() iter.Seq[Kind] { return slices.Values(kinds) }

// KindOf finds a kind by what a document says of itself. The openservicemesh.io spelling of our own groups is known.
func KindOf(apiVersion, kind string) (Kind, bool) {
	if rest, ok := strings.CutPrefix(apiVersion, "config.openservicemesh.io/"); ok {
		apiVersion = "config.flomesh.io/" + rest
	}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Kind == kind && k.APIVersion() == apiVersion })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// object is what every Go type of the table is, behind a pointer.
type object[T any] interface {
	*T
	metav1.Object
}

// kind makes a row of the table for a type that is kept as it is decoded.
func kind[T any, P object[T]](group, version, name, resource string, list func(*Objects) *[]P) Kind {
	return converted(group, version, name, resource, func(objects *Objects, o P) []model.Diagnostic {
		*list(objects) = append(*list(objects), o)
		return nil
	})
}

// converted makes a row of the table for a version that is converted upwards when it is added.
func converted[T any, P object[T]](group, version, name, resource string, add func(*Objects, P) []model.Diagnostic) Kind {
	return Kind{
		Group: group, Version: version, Kind: name, Resource: resource,
		New: func() metav1.Object { return P(new(T)) },
		Add: func(objects *Objects, o metav1.Object) []model.Diagnostic { return add(objects, o.(P)) },
	}
}

func clusterScoped(k Kind) Kind {
	k.ClusterScoped = true
	return k
}

const (
	accessGroup = "access.smi-spec.io"
	specsGroup  = "specs.smi-spec.io"
	splitGroup  = "split.smi-spec.io"
	configGroup = "config.flomesh.io"
)

var kinds = []Kind{
	clusterScoped(kind("", "v1", "Namespace", "namespaces", func(o *Objects) *[]*corev1.Namespace { return &o.Namespaces })),
	kind("", "v1", "ServiceAccount", "serviceaccounts", func(o *Objects) *[]*corev1.ServiceAccount { return &o.ServiceAccounts }),
	kind("", "v1", "Service", "services", func(o *Objects) *[]*corev1.Service { return &o.Services }),
	kind("", "v1", "Endpoints", "endpoints", func(o *Objects) *[]*corev1.Endpoints { return &o.Endpoints }),
	kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", func(o *Objects) *[]*discoveryv1.EndpointSlice { return &o.EndpointSlices }),
	kind("", "v1", "Pod", "pods", func(o *Objects) *[]*corev1.Pod { return &o.Pods }),
	kind("apps", "v1", "Deployment", "deployments", func(o *Objects) *[]*appsv1.Deployment { return &o.Deployments }),
	kind("apps", "v1", "StatefulSet", "statefulsets", func(o *Objects) *[]*appsv1.StatefulSet { return &o.StatefulSets }),
	kind("apps", "v1", "DaemonSet", "daemonsets", func(o *Objects) *[]*appsv1.DaemonSet { return &o.DaemonSets }),
	kind("apps", "v1", "ReplicaSet", "replicasets", func(o *Objects) *[]*appsv1.ReplicaSet { return &o.ReplicaSets }),
	kind("", "v1", "ReplicationController", "replicationcontrollers", func(o *Objects) *[]*corev1.ReplicationController { return &o.ReplicationControllers }),
	kind("batch", "v1", "Job", "jobs", func(o *Objects) *[]*batchv1.Job { return &o.Jobs }),
	kind("batch", "v1", "CronJob", "cronjobs", func(o *Objects) *[]*batchv1.CronJob { return &o.CronJobs }),
	kind(configGroup, "v1alpha2", "MeshConfig", "meshconfigs", func(o *Objects) *[]*configv1alpha2.MeshConfig { return &o.MeshConfigs }),
	kind(configGroup, "v1alpha1", "MeshConfig", "meshconfigs", func(o *Objects) *[]*configv1alpha2.MeshConfig { return &o.MeshConfigs }),

	converted(accessGroup, "v1alpha1", "TrafficTarget", "traffictargets", func(o *Objects, t *targetV1alpha1) []model.Diagnostic {
		o.TrafficTargets = append(o.TrafficTargets, targetFromV1alpha1(t))
		return nil
	}),
	converted(accessGroup, "v1alpha2", "TrafficTarget", "traffictargets", func(o *Objects, t *accessv1alpha2.TrafficTarget) []model.Diagnostic {
		o.TrafficTargets = append(o.TrafficTargets, targetFromV1alpha2(t))
		return nil
	}),
	converted(accessGroup, "v1alpha3", "TrafficTarget", "traffictargets", func(o *Objects, t *accessv1alpha3.TrafficTarget) []model.Diagnostic {
		o.TrafficTargets = append(o.TrafficTargets, &TrafficTarget{TrafficTarget: *t, Version: "v1alpha3"})
		return nil
	}),

	converted(specsGroup, "v1alpha1", "HTTPRouteGroup", "httproutegroups", func(o *Objects, g *specsv1alpha1.HTTPRouteGroup) []model.Diagnostic {
		o.HTTPRouteGroups = append(o.HTTPRouteGroups, groupFromV1alpha1(g))
		return nil
	}),
	converted(specsGroup, "v1alpha2", "HTTPRouteGroup", "httproutegroups", func(o *Objects, g *specsv1alpha2.HTTPRouteGroup) []model.Diagnostic {
		o.HTTPRouteGroups = append(o.HTTPRouteGroups, groupFromV1alpha2(g))
		return nil
	}),
	converted(specsGroup, "v1alpha3", "HTTPRouteGroup", "httproutegroups", func(o *Objects, g *specsv1alpha3.HTTPRouteGroup) []model.Diagnostic {
		o.HTTPRouteGroups = append(o.HTTPRouteGroups, groupFromV1alpha3(g))
		return nil
	}),
	converted(specsGroup, "v1alpha4", "HTTPRouteGroup", "httproutegroups", func(o *Objects, g *specsv1alpha4.HTTPRouteGroup) []model.Diagnostic {
		o.HTTPRouteGroups = append(o.HTTPRouteGroups, &HTTPRouteGroup{HTTPRouteGroup: *g, Version: "v1alpha4"})
		return nil
	}),

	converted(specsGroup, "v1alpha1", "TCPRoute", "tcproutes", func(o *Objects, r *specsv1alpha1.TCPRoute) []model.Diagnostic {
		o.TCPRoutes = append(o.TCPRoutes, routeOfAllPorts(r.ObjectMeta, "v1alpha1"))
		return nil
	}),
	converted(specsGroup, "v1alpha2", "TCPRoute", "tcproutes", func(o *Objects, r *specsv1alpha2.TCPRoute) []model.Diagnostic {
		o.TCPRoutes = append(o.TCPRoutes, routeOfAllPorts(r.ObjectMeta, "v1alpha2"))
		return nil
	}),
	converted(specsGroup, "v1alpha3", "TCPRoute", "tcproutes", func(o *Objects, r *specsv1alpha3.TCPRoute) []model.Diagnostic {
		o.TCPRoutes = append(o.TCPRoutes, routeOfAllPorts(r.ObjectMeta, "v1alpha3"))
		return nil
	}),
	converted(specsGroup, "v1alpha4", "TCPRoute", "tcproutes", func(o *Objects, r *specsv1alpha4.TCPRoute) []model.Diagnostic {
		o.TCPRoutes = append(o.TCPRoutes, &TCPRoute{TCPRoute: *r, Version: "v1alpha4"})
		return nil
	}),
	kind(specsGroup, "v1alpha4", "UDPRoute", "udproutes", func(o *Objects) *[]*specsv1alpha4.UDPRoute { return &o.UDPRoutes }),

	converted(splitGroup, "v1alpha1", "TrafficSplit", "trafficsplits", func(o *Objects, s *splitv1alpha1.TrafficSplit) []model.Diagnostic {
		split, diagnostics := splitFromV1alpha1(s)
		if split != nil {
			o.TrafficSplits = append(o.TrafficSplits, split)
		}
		return diagnostics
	}),
	converted(splitGroup, "v1alpha2", "TrafficSplit", "trafficsplits", func(o *Objects, s *splitv1alpha2.TrafficSplit) []model.Diagnostic {
		o.TrafficSplits = append(o.TrafficSplits, splitFromV1alpha2(s))
		return nil
	}),
	converted(splitGroup, "v1alpha3", "TrafficSplit", "trafficsplits", func(o *Objects, s *splitv1alpha3.TrafficSplit) []model.Diagnostic {
		o.TrafficSplits = append(o.TrafficSplits, splitFromV1alpha3(s))
		return nil
	}),
	converted(splitGroup, "v1alpha4", "TrafficSplit", "trafficsplits", func(o *Objects, s *splitv1alpha4.TrafficSplit) []model.Diagnostic {
		o.TrafficSplits = append(o.TrafficSplits, &TrafficSplit{TrafficSplit: *s, Version: "v1alpha4"})
		return nil
	}),
}
