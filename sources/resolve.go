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
	routes, routeDiagnostics := resolveRoutes(objects, topology)
	permissions, permissionDiagnostics := resolvePermissions(objects, settings, topology, routes)
	splits, splitDiagnostics := resolveSplits(objects, topology, routes)
	mesh := model.New(model.Parts{
		Settings:    settings,
		Services:    model.ListOf(topology.services...),
		Proxies:     model.ListOf(topology.proxies...),
		Permissions: model.ListOf(permissions...),
		Splits:      model.ListOf(splits...),
	})
	return mesh, slices.Concat(settingsDiagnostics, topologyDiagnostics, routeDiagnostics, permissionDiagnostics, splitDiagnostics)
}
