package sources

import "github.com/flomesh-io/fsmc/model"

// resolveSettings reads the MeshConfig.
func resolveSettings(objects Objects) (model.Settings, []model.Diagnostic) {
	return model.Settings{}, nil
}
