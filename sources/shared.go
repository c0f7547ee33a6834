package sources

import "slices"

// Shared is the objects with the lists of previous where they hold the same objects in the same order: what did not change
// is then the same memory.
func Shared(objects, previous Objects) Objects {
	share(&objects.Namespaces, previous.Namespaces)
	share(&objects.ServiceAccounts, previous.ServiceAccounts)
	share(&objects.Services, previous.Services)
	share(&objects.Endpoints, previous.Endpoints)
	share(&objects.EndpointSlices, previous.EndpointSlices)
	share(&objects.Pods, previous.Pods)
	share(&objects.Deployments, previous.Deployments)
	share(&objects.StatefulSets, previous.StatefulSets)
	share(&objects.DaemonSets, previous.DaemonSets)
	share(&objects.ReplicaSets, previous.ReplicaSets)
	share(&objects.ReplicationControllers, previous.ReplicationControllers)
	share(&objects.Jobs, previous.Jobs)
	share(&objects.CronJobs, previous.CronJobs)
	share(&objects.MeshConfigs, previous.MeshConfigs)
	share(&objects.TrafficTargets, previous.TrafficTargets)
	share(&objects.HTTPRouteGroups, previous.HTTPRouteGroups)
	share(&objects.TCPRoutes, previous.TCPRoutes)
	share(&objects.UDPRoutes, previous.UDPRoutes)
	share(&objects.TrafficSplits, previous.TrafficSplits)
	share(&objects.Broken, previous.Broken)
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
		slices.Equal(a.TrafficTargets, b.TrafficTargets) &&
		slices.Equal(a.HTTPRouteGroups, b.HTTPRouteGroups) &&
		slices.Equal(a.TCPRoutes, b.TCPRoutes) &&
		slices.Equal(a.UDPRoutes, b.UDPRoutes) &&
		slices.Equal(a.TrafficSplits, b.TrafficSplits) &&
		slices.Equal(a.Broken, b.Broken)
}

func share[T comparable](list *[]T, previous []T) {
	if len(*list) > 0 && slices.Equal(*list, previous) {
		*list = previous
	}
}
