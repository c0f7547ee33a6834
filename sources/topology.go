package sources

import "github.com/flomesh-io/fsmc/model"

// resolveTopology finds who exists.
func resolveTopology(objects Objects, settings model.Settings) (topology, []model.Diagnostic) {
	return topology{}, nil
}
