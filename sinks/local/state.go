//go:build linux

package local

import (
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// state is what runs. It is never changed: a change makes another one, and who asks meanwhile sees one or the other.
type state struct {
	wanted
	// pods are in the order of the plan. Those that are about to go come last.
	pods []*pod
	byID map[model.ProxyID]*pod
}

func newState(w wanted, pods []*pod) *state {
	s := &state{wanted: w, pods: pods, byID: map[model.ProxyID]*pod{}}
	for _, p := range slices.Backward(pods) {
		s.byID[p.id()] = p
	}
	return s
}
