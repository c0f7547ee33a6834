package sources

import (
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// Resolve says what the objects mean. It reads nothing else, and never fails: what is unclear is denied, and the
// diagnostics, in no particular order, say what was done instead.
func Resolve(objects Objects) (*model.Mesh, []model.Diagnostic) {
	settings, settingsDiagnostics := resolveSettings(objects)
	topology, topologyDiagnostics := resolveTopology(objects, settings)
	permissions, permissionDiagnostics := resolvePermissions(objects, settings, topology)
	splits, splitDiagnostics := resolveSplits(objects, topology)
	mesh := model.New(model.Parts{
		Settings:    settings,
		Services:    model.ListOf(topology.services...),
		Proxies:     model.ListOf(topology.proxies...),
		Permissions: model.ListOf(permissions...),
		Splits:      model.ListOf(splits...),
	})
	return mesh, slices.Concat(settingsDiagnostics, topologyDiagnostics, permissionDiagnostics, splitDiagnostics)
}

// topology is who exists: the namespaces of the mesh, and the services and proxies in them.
type topology struct {
	// namespaces says which namespaces are part of the mesh.
	namespaces map[string]bool
	services   []*model.Service
	proxies    []*model.Proxy
}

// service finds a service of the mesh.
func (t topology) service(id model.ServiceID) (*model.Service, bool) {
	i := slices.IndexFunc(t.services, func(s *model.Service) bool { return s.ID == id })
	if i < 0 {
		return nil, false
	}
	return t.services[i], true
}
