package main

import (
	"cmp"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/sources"
)

// manifests are the objects as one would write them: each with its apiVersion and kind, without empty fields, by kind,
// namespace and name. Old versions of policies appear as the newest version that says the same.
func manifests(o sources.Objects) ([]any, error) {
	var m manifestList
	appendAll(&m, "v1", "Namespace", o.Namespaces)
	appendAll(&m, "v1", "ServiceAccount", o.ServiceAccounts)
	appendAll(&m, "v1", "Service", o.Services)
	appendAll(&m, "v1", "Endpoints", o.Endpoints)
	appendAll(&m, "discovery.k8s.io/v1", "EndpointSlice", o.EndpointSlices)
	appendAll(&m, "v1", "Pod", o.Pods)
	appendAll(&m, "apps/v1", "Deployment", o.Deployments)
	appendAll(&m, "apps/v1", "StatefulSet", o.StatefulSets)
	appendAll(&m, "apps/v1", "DaemonSet", o.DaemonSets)
	appendAll(&m, "apps/v1", "ReplicaSet", o.ReplicaSets)
	appendAll(&m, "v1", "ReplicationController", o.ReplicationControllers)
	appendAll(&m, "batch/v1", "Job", o.Jobs)
	appendAll(&m, "batch/v1", "CronJob", o.CronJobs)
	appendAll(&m, "config.flomesh.io/v1alpha2", "MeshConfig", o.MeshConfigs)
	appendAll(&m, "config.flomesh.io/v1alpha2", "MeshRootCertificate", o.MeshRootCertificates)
	appendAll(&m, "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", o.HTTPRouteGroups)
	appendAll(&m, "specs.smi-spec.io/v1alpha4", "TCPRoute", o.TCPRoutes)
	appendAll(&m, "specs.smi-spec.io/v1alpha4", "UDPRoute", o.UDPRoutes)
	appendAll(&m, "access.smi-spec.io/v1alpha3", "TrafficTarget", withoutPort(o.TrafficTargets))
	appendAll(&m, "access.smi-spec.io/v1alpha2", "TrafficTarget", withPort(o.TrafficTargets))
	appendAll(&m, "split.smi-spec.io/v1alpha4", "TrafficSplit", o.TrafficSplits)
	return m.items, m.err
}

// manifestList collects manifests up to the first error.
type manifestList struct {
	items []any
	err   error
}

func appendAll[T metav1.Object](m *manifestList, apiVersion, kind string, objects []T) {
	sorted := slices.SortedFunc(slices.Values(objects), func(a, b T) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	for _, object := range sorted {
		fields, err := fieldsOf(object)
		if err != nil {
			m.err = cmp.Or(m.err, err)
			return
		}
		fields["apiVersion"], fields["kind"] = apiVersion, kind
		m.items = append(m.items, fields)
	}
}

// fieldsOf is an object as JSON has it, without what is empty and without the fields that fsmc itself adds.
func fieldsOf(object any) (map[string]any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	if target, ok := object.(*sources.TrafficTarget); ok && target.Port != nil {
		fields["spec"].(map[string]any)["destination"].(map[string]any)["port"] = *target.Port
	}
	delete(fields, "Port")
	delete(fields, "Version")
	return prune(fields).(map[string]any), nil
}

// prune drops nulls, and empty objects other than those in lists.
func prune(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, field := range v {
			field = prune(field)
			if m, ok := field.(map[string]any); field == nil || ok && len(m) == 0 && name != "emptyDir" {
				delete(v, name)
				continue
			}
			v[name] = field
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return value
}

func withPort(targets []*sources.TrafficTarget) []*sources.TrafficTarget {
	return slices.DeleteFunc(slices.Clone(targets), func(t *sources.TrafficTarget) bool { return t.Port == nil })
}

func withoutPort(targets []*sources.TrafficTarget) []*sources.TrafficTarget {
	return slices.DeleteFunc(slices.Clone(targets), func(t *sources.TrafficTarget) bool { return t.Port != nil })
}
