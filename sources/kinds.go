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

	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"
	specsv1alpha1 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha1"
	specsv1alpha2 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha2"
	specsv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha3"
	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"
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
	// Convert makes of a decoded object, as made by New, the one that Objects hold. What cannot be converted without widening
	// access is nil: the diagnostics say why, and the object is then broken.
	Convert func(object metav1.Object) (metav1.Object, []model.Diagnostic)
	// Put puts an object, as made by Convert, into objects.
	Put func(objects *Objects, object metav1.Object)
}

// Add converts a decoded object, as made by New, and puts it into objects. One that is broken, as the diagnostics then say,
// is not put.
func (k Kind) Add(objects *Objects, object metav1.Object) []model.Diagnostic {
	converted, diagnostics := k.Convert(object)
	if converted != nil {
		k.Put(objects, converted)
	}
	return diagnostics
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
	return converted(group, version, name, resource, list, func(o P) P { return o })
}

// converted makes a row of the table for a version that is converted upwards when it is added.
func converted[T, C any, P object[T], Q object[C]](group, version, name, resource string, list func(*Objects) *[]Q, convert func(P) Q) Kind {
	return checked(group, version, name, resource, list, func(o P) (Q, []model.Diagnostic) { return convert(o), nil })
}

// checked makes a row of the table for a version that cannot always be converted: convert then returns nil, and says why.
func checked[T, C any, P object[T], Q object[C]](group, version, name, resource string, list func(*Objects) *[]Q, convert func(P) (Q, []model.Diagnostic)) Kind {
	return Kind{
		Group: group, Version: version, Kind: name, Resource: resource,
		New: func() metav1.Object { return P(new(T)) },
		Convert: func(o metav1.Object) (metav1.Object, []model.Diagnostic) {
			made, diagnostics := convert(o.(P))
			if made == nil {
				return nil, diagnostics
			}
			return made, diagnostics
		},
		Put: func(objects *Objects, o metav1.Object) { *list(objects) = append(*list(objects), o.(Q)) },
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
	kind(configGroup, "v1alpha2", "MeshRootCertificate", "meshrootcertificates", func(o *Objects) *[]*configv1alpha2.MeshRootCertificate {
		return &o.MeshRootCertificates
	}),

	converted(accessGroup, "v1alpha1", "TrafficTarget", "traffictargets", trafficTargets, targetFromV1alpha1),
	converted(accessGroup, "v1alpha2", "TrafficTarget", "traffictargets", trafficTargets, targetFromV1alpha2),
	converted(accessGroup, "v1alpha3", "TrafficTarget", "traffictargets", trafficTargets, func(t *accessv1alpha3.TrafficTarget) *TrafficTarget {
		return &TrafficTarget{TrafficTarget: *t, Version: "v1alpha3"}
	}),

	converted(specsGroup, "v1alpha1", "HTTPRouteGroup", "httproutegroups", httpRouteGroups, groupFromV1alpha1),
	converted(specsGroup, "v1alpha2", "HTTPRouteGroup", "httproutegroups", httpRouteGroups, groupFromV1alpha2),
	converted(specsGroup, "v1alpha3", "HTTPRouteGroup", "httproutegroups", httpRouteGroups, groupFromV1alpha3),
	converted(specsGroup, "v1alpha4", "HTTPRouteGroup", "httproutegroups", httpRouteGroups, func(g *specsv1alpha4.HTTPRouteGroup) *HTTPRouteGroup {
		return &HTTPRouteGroup{HTTPRouteGroup: *g, Version: "v1alpha4"}
	}),

	converted(specsGroup, "v1alpha1", "TCPRoute", "tcproutes", tcpRoutes, func(r *specsv1alpha1.TCPRoute) *TCPRoute {
		return routeOfAllPorts(r.ObjectMeta, "v1alpha1")
	}),
	converted(specsGroup, "v1alpha2", "TCPRoute", "tcproutes", tcpRoutes, func(r *specsv1alpha2.TCPRoute) *TCPRoute {
		return routeOfAllPorts(r.ObjectMeta, "v1alpha2")
	}),
	converted(specsGroup, "v1alpha3", "TCPRoute", "tcproutes", tcpRoutes, func(r *specsv1alpha3.TCPRoute) *TCPRoute {
		return routeOfAllPorts(r.ObjectMeta, "v1alpha3")
	}),
	converted(specsGroup, "v1alpha4", "TCPRoute", "tcproutes", tcpRoutes, func(r *specsv1alpha4.TCPRoute) *TCPRoute {
		return &TCPRoute{TCPRoute: *r, Version: "v1alpha4"}
	}),
	kind(specsGroup, "v1alpha4", "UDPRoute", "udproutes", func(o *Objects) *[]*specsv1alpha4.UDPRoute { return &o.UDPRoutes }),

	checked(splitGroup, "v1alpha1", "TrafficSplit", "trafficsplits", trafficSplits, splitFromV1alpha1),
	converted(splitGroup, "v1alpha2", "TrafficSplit", "trafficsplits", trafficSplits, splitFromV1alpha2),
	converted(splitGroup, "v1alpha3", "TrafficSplit", "trafficsplits", trafficSplits, splitFromV1alpha3),
	converted(splitGroup, "v1alpha4", "TrafficSplit", "trafficsplits", trafficSplits, func(s *splitv1alpha4.TrafficSplit) *TrafficSplit {
		return &TrafficSplit{TrafficSplit: *s, Version: "v1alpha4"}
	}),
}

func trafficTargets(o *Objects) *[]*TrafficTarget   { return &o.TrafficTargets }
func httpRouteGroups(o *Objects) *[]*HTTPRouteGroup { return &o.HTTPRouteGroups }
func tcpRoutes(o *Objects) *[]*TCPRoute             { return &o.TCPRoutes }
func trafficSplits(o *Objects) *[]*TrafficSplit     { return &o.TrafficSplits }
