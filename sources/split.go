package sources

import "github.com/flomesh-io/fsmc/model"

// resolveSplits makes the splits of each root, in order of precedence.
func resolveSplits(objects Objects, topology topology) ([]*model.Split, []model.Diagnostic) {
	return nil, nil
}
