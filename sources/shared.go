package sources

import "slices"

// Shared is the objects with the lists of previous where they hold the same objects in the same order: what did not change
// is then the same memory.
func Shared(objects, previous Objects) Objects {
	shareList(&objects.Namespaces, previous.Namespaces)
	shareList(&objects.ServiceAccounts, previous.ServiceAccounts)
	shareList(&objects.Services, previous.Services)
	shareList(&objects.Endpoints, previous.Endpoints)
	shareList(&objects.EndpointSlices, previous.EndpointSlices)
	shareList(&objects.Pods, previous.Pods)
	shareList(&objects.Deployments, previous.Deployments)
	shareList(&objects.StatefulSets, previous.StatefulSets)
	shareList(&objects.DaemonSets, previous.DaemonSets)
	shareList(&objects.ReplicaSets, previous.ReplicaSets)
	shareList(&objects.ReplicationControllers, previous.ReplicationControllers)
	shareList(&objects.Jobs, previous.Jobs)
	shareList(&objects.CronJobs, previous.CronJobs)
	shareList(&objects.MeshConfigs, previous.MeshConfigs)
	shareList(&objects.MeshRootCertificates, previous.MeshRootCertificates)
	shareList(&objects.TrafficTargets, previous.TrafficTargets)
	shareList(&objects.HTTPRouteGroups, previous.HTTPRouteGroups)
	shareList(&objects.TCPRoutes, previous.TCPRoutes)
	shareList(&objects.UDPRoutes, previous.UDPRoutes)
	shareList(&objects.TrafficSplits, previous.TrafficSplits)
	shareList(&objects.Broken, previous.Broken)
	return objects
}

// Same says whether two Objects hold the same objects, by pointer, in the same order.
func Same(a, b Objects) bool {
	return a.MeshName == b.MeshName &&
		slices.Equal(a.Namespaces, b.Namespaces) &&
		slices.Equal(a.ServiceAccounts, b.ServiceAccounts) &&
		slices.Equal(a.Services, b.Services) &&
		slices.Equal(a.Endpoints, b.Endpoints) &&
		slices.Equal(a.EndpointSlices, b.EndpointSlices) &&
		slices.Equal(a.Pods, b.Pods) &&
		slices.Equal(a.Deployments, b.Deployments) &&
		slices.Equal(a.StatefulSets, b.StatefulSets) &&
		slices.Equal(a.DaemonSets, b.DaemonSets) &&
		slices.Equal(a.ReplicaSets, b.ReplicaSets) &&
		slices.Equal(a.ReplicationControllers, b.ReplicationControllers) &&
		slices.Equal(a.Jobs, b.Jobs) &&
		slices.Equal(a.CronJobs, b.CronJobs) &&
		slices.Equal(a.MeshConfigs, b.MeshConfigs) &&
		slices.Equal(a.MeshRootCertificates, b.MeshRootCertificates) &&
		slices.Equal(a.TrafficTargets, b.TrafficTargets) &&
		slices.Equal(a.HTTPRouteGroups, b.HTTPRouteGroups) &&
		slices.Equal(a.TCPRoutes, b.TCPRoutes) &&
		slices.Equal(a.UDPRoutes, b.UDPRoutes) &&
		slices.Equal(a.TrafficSplits, b.TrafficSplits) &&
		slices.Equal(a.Broken, b.Broken)
}

func shareList[T comparable](list *[]T, previous []T) {
	if len(*list) > 0 && slices.Equal(*list, previous) {
		*list = previous
	}
}
