package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// findings are what there is to tell of a view. They are kept with it, for as long as it is.
type findings struct {
	notes       []model.Diagnostic
	unreachable []unreachable
}

// unreachable is a backend that gets no traffic from whoever has the view.
type unreachable struct {
	split   *model.Split
	backend model.Backend
	port    uint16
}

func (f *findings) note(d model.Diagnostic) { f.notes = append(f.notes, d) }

// noteUnreachable remembers that a backend gets no traffic; one diagnostic is made for all callers.
func (v *client) noteUnreachable(split *model.Split, b model.Backend, id model.ServicePort) {
	if v.port(id) == nil {
		return // a backend that has no such service or port was diagnosed when it was read
	}
	if u := (unreachable{split, b, id.Port}); !slices.Contains(v.found.unreachable, u) {
		v.found.unreachable = append(v.found.unreachable, u)
	}
}

// diagnostics are what there is to tell of all views.
func (c *compilation) diagnostics() []model.Diagnostic {
	var list []model.Diagnostic
	told := map[*findings]bool{}
	callers := map[unreachable][]model.Identity{}
	for _, calls := range c.noisy {
		for _, f := range calls.found() {
			if !told[f] {
				list = append(list, f.notes...)
			}
			told[f] = true
			for _, u := range f.unreachable {
				callers[u] = append(callers[u], calls.key.caller)
			}
		}
	}
	//ordered: whoever prints diagnostics sorts them
	for u, identities := range callers {
		slices.SortFunc(identities, model.Identity.Compare)
		list = append(list, c.backendUnreachable(u, slices.Compact(identities)))
	}
	return list
}

func (c *compilation) backendUnreachable(u unreachable, callers []model.Identity) model.Diagnostic {
	id := model.ServicePort{Service: u.backend.Service, Port: u.port}
	if len(c.port(id).servers) == 0 {
		return model.Note(model.BackendUnreachable, u.backend.From, fmt.Sprintf("backend %s has no workloads", id)).
			Did("it gets no traffic")
	}
	return model.Note(model.BackendUnreachable, u.backend.From,
		fmt.Sprintf("backend %s may not be reached by %s", id, someOf(callers))).
		Did("it gets no traffic from them").
		Mend(fmt.Sprintf("add a TrafficTarget whose destination is the ServiceAccount of %s and whose sources include these clients", u.backend.Service))
}

// someOf names up to three identities, and counts the rest.
func someOf(identities []model.Identity) string {
	const shown = 3
	var names []string
	for _, i := range identities[:min(shown, len(identities))] {
		names = append(names, i.String())
	}
	text := strings.Join(names, ", ")
	if rest := len(identities) - shown; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
