package sources

import "github.com/flomesh-io/fsmc/model"

// resolvePermissions makes one permission of each TrafficTarget.
func resolvePermissions(objects Objects, settings model.Settings, topology topology) ([]*model.Permission, []model.Diagnostic) {
	return nil, nil
}
