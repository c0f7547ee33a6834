package local

import (
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// change is the way from the pods that run to those that are wanted.
type change struct {
	// kept go on, as the new plan describes them; fresh are to be made.
	kept, fresh []Pod
	// inTheWay are to go before fresh ones are made, for those have their names or addresses; gone can go afterwards.
	inTheWay, gone []Pod
}

// changeOf finds the way. A pod goes on if nothing has changed that it was made with; ports can change under it, and
// what is only said of it.
func changeOf(running, wanted []Pod) change {
	var c change
	before := map[model.ProxyID]Pod{}
	for _, p := range running {
		before[p.id()] = p
	}
	after := map[model.ProxyID]bool{}
	for _, p := range wanted {
		old, runs := before[p.id()]
		if runs && sameHome(old, p) {
			c.kept = append(c.kept, p)
			after[p.id()] = true
		} else {
			c.fresh = append(c.fresh, p)
		}
	}
	for _, p := range running {
		switch {
		case after[p.id()]:
		case slices.ContainsFunc(c.fresh, func(f Pod) bool { return f.id() == p.id() || shareAddress(f, p) }):
			c.inTheWay = append(c.inTheWay, p)
		default:
			c.gone = append(c.gone, p)
		}
	}
	return c
}

func sameHome(a, b Pod) bool {
	return a.Workload == b.Workload && a.Identity == b.Identity && a.Sidecar == b.Sidecar && slices.Equal(a.Addresses, b.Addresses) &&
		slices.Equal(a.Command, b.Command) && slices.Equal(a.Environment, b.Environment)
}

func shareAddress(a, b Pod) bool {
	for _, address := range a.Addresses {
		if slices.Contains(b.Addresses, address) {
			return true
		}
	}
	return false
}
