package sources

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"
	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"
	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
	configv1alpha2 "github.com/flomesh-io/fsmc/sources/api/config/v1alpha2"
)

// Objects is the state of a cluster, or what manifests say it shall be: every object of a kind that the mesh reads,
// decoded, in any order, at most one of each kind, namespace and name. Objects of namespaced kinds always have a
// namespace. Whoever holds an Objects must not write into the objects that it points at.
type Objects struct {
	// MeshName is the mesh that is asked for; namespaces join it by label.
	MeshName string

	Namespaces             []*corev1.Namespace
	ServiceAccounts        []*corev1.ServiceAccount
	Services               []*corev1.Service
	Endpoints              []*corev1.Endpoints
	EndpointSlices         []*discoveryv1.EndpointSlice
	Pods                   []*corev1.Pod
	Deployments            []*appsv1.Deployment
	StatefulSets           []*appsv1.StatefulSet
	DaemonSets             []*appsv1.DaemonSet
	ReplicaSets            []*appsv1.ReplicaSet
	ReplicationControllers []*corev1.ReplicationController
	Jobs                   []*batchv1.Job
	CronJobs               []*batchv1.CronJob
	MeshConfigs            []*configv1alpha2.MeshConfig
	MeshRootCertificates   []*configv1alpha2.MeshRootCertificate
	TrafficTargets         []*TrafficTarget
	HTTPRouteGroups        []*HTTPRouteGroup
	TCPRoutes              []*TCPRoute
	UDPRoutes              []*specsv1alpha4.UDPRoute
	TrafficSplits          []*TrafficSplit

	// Broken are objects that are written but could not be decoded. They exist and mean nothing: what refers to them
	// is not treated as if nothing had been written.
	Broken []model.Ref
}

// TrafficTarget is a TrafficTarget of any version, converted upwards.
type TrafficTarget struct {
	accessv1alpha3.TrafficTarget
	// Port restricts the whole target to one pod port (destination.port of v1alpha1 and v1alpha2; SMI A7); nil when
	// it was not written. It is as written, so it can be out of range.
	Port *int
	// Version is the API version that was written, such as v1alpha2: it decides where fields stand in the text.
	Version string
}

// HTTPRouteGroup is an HTTPRouteGroup of any version, converted upwards.
type HTTPRouteGroup struct {
	specsv1alpha4.HTTPRouteGroup
	Version string
}

// TCPRoute is a TCPRoute of any version, converted upwards: those before v1alpha4 have no ports, which means all.
type TCPRoute struct {
	specsv1alpha4.TCPRoute
	Version string
}

// TrafficSplit is a TrafficSplit of any version, converted upwards: quantities become whole numbers in proportion.
type TrafficSplit struct {
	splitv1alpha4.TrafficSplit
	Version string
}

// The spellings of the names that tie objects to the mesh. Labels and annotations with the older prefix
// openservicemesh.io/ are read as aliases.
const (
	Prefix      = "flomesh.io/"
	AliasPrefix = "openservicemesh.io/"

	MonitoredByLabel    = Prefix + "monitored-by"
	IgnoreLabel         = Prefix + "ignore"
	InjectionAnnotation = Prefix + "sidecar-injection"
	MetricsAnnotation   = Prefix + "metrics"
	ProxyUUIDLabel      = "fsm-proxy-uuid"
	ProxyUUIDAliasLabel = "osm-proxy-uuid"

	// AssumedAnnotation marks an object that Complete made up, or a part of it: its value says which,
	// such as pod, address, clusterIP, endpoints, namespace.
	AssumedAnnotation = Prefix + "assumed"

	// DefaultMeshName is the mesh that an Objects without a name means.
	DefaultMeshName = "fsm"
	// DefaultTrustDomain is the trust domain of a mesh that sets none.
	DefaultTrustDomain = "cluster.local"
	// ClusterDomain is the DNS suffix of service names.
	ClusterDomain = "cluster.local"
	// ControlPlaneNamespace is where the control plane lives unless told otherwise; it is never part of the mesh.
	ControlPlaneNamespace = "fsm-system"
	// MeshConfigName is the name of the MeshConfig that counts.
	MeshConfigName = "fsm-mesh-config"
)

// metadata is a value of an annotation or label in either spelling.
func metadata(values map[string]string, key string) (string, bool) {
	if v, ok := values[key]; ok {
		return v, true
	}
	v, ok := values[AliasPrefix+key[len(Prefix):]]
	return v, ok
}

// refTo is the place where an object was written.
func refTo(kind string, o metav1.Object) model.Ref {
	return model.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}
