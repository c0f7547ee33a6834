package sources

import (
	corev1 "k8s.io/api/core/v1"

	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
)

// Stages by themselves, made of nothing that was made before.

func freshPods(objects Objects) ([]*corev1.Pod, []model.Diagnostic) {
	c := assumePods(crewInput{readWorkloads(workloadListsOf(objects), nil), objects.Pods}, nil)
	return c.pods, c.diagnostics
}

func freshNamespaces(objects Objects) (namespaces, []model.Diagnostic) {
	names := namespaceNames{}.again(objects, readWorkloads(workloadListsOf(objects), nil))
	return resolveNamespaces(objects, names.inhabited())
}

func freshTopology(objects Objects, settings model.Settings) (topology, []model.Diagnostic) {
	t := topologyFrom(objects, settings.Permissive, &resolvedTopology{})
	return t.topology, t.notes
}

func freshRoutes(objects Objects, t topology) (*routes, []model.Diagnostic) {
	names := t.meshedNames()
	r := resolveRoutes(routesInput{
		meshedOnly(meshedInput[*HTTPRouteGroup]{objects.HTTPRouteGroups, names}, nil),
		meshedOnly(meshedInput[*TCPRoute]{objects.TCPRoutes, names}, nil),
		meshedOnly(meshedInput[*specsv1alpha4.UDPRoute]{objects.UDPRoutes, names}, nil),
		objects.Broken,
	}, nil)
	return r, r.notes
}

func freshPermissions(objects Objects, settings model.Settings, t topology, routes *routes) ([]*model.Permission, []model.Diagnostic) {
	p := policies{}.again(objects, settings, t)
	made := resolvePermissions(permissionsInput{p.targets.out, t.identities, t.served, p.accounts.out, routes}, nil)
	p.targetsMade.out = made
	return p.permissions(), append(made.notes, p.ignored...)
}

func freshSplits(objects Objects, t topology, routes *routes) ([]*model.Split, []model.Diagnostic) {
	p := policies{}.again(objects, model.Settings{}, t)
	made := resolveSplits(splitsInput{p.splitObjects.out, p.names.out, routes}, nil)
	return made.all, made.notes
}

// service finds a service of the mesh.
func (t topology) service(id model.ServiceID) (*model.Service, bool) {
	for _, s := range t.services {
		if s.ID == id {
			return s, true
		}
	}
	return nil, false
}

func (t topology) members(identity model.Identity) []model.Member { return t.served.of[identity] }

func (t topology) hasIdentity(identity model.Identity) bool { return t.identities[identity] }
