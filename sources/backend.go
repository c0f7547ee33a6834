package sources

import (
	"fmt"
	"math"
	"slices"

	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
)

// checkWeights finds weights that cannot be meant. Their sum must fit as well, or Envoy refuses the routes.
func checkWeights(object *TrafficSplit) []model.Diagnostic {
	var notes []model.Diagnostic
	total := 0
	for i, written := range object.Spec.Backends {
		if written.Weight < 0 || written.Weight > maxWeight {
			notes = append(notes, model.Note(model.InvalidWeight, object.backend(i, "weight"),
				fmt.Sprintf("weight %d of %s is not between 0 and %d", written.Weight, written.Service, maxWeight)).
				Did("the split is left out: all goes to the root").Mend("write a whole number; weights need not sum to 100"))
		}
		total += min(written.Weight, maxWeight)
	}
	if total > math.MaxUint32 && len(notes) == 0 {
		notes = append(notes, model.Note(model.InvalidWeight, object.at("spec.backends"), fmt.Sprintf("the weights sum to %d", total)).
			Did("the split is left out: all goes to the root").Mend("write smaller weights in the same proportion"))
	}
	return notes
}

// backend is a place in one backend of the split.
func (s *TrafficSplit) backend(i int, field string) model.Ref {
	return s.at(fmt.Sprintf("spec.backends[%d].%s", i, field))
}

// backendsOf are the backends of a split that can be used, by name; named are what they name, one for each. None, or none with weight, is a split that refuses
// its requests: they are never sent to somewhere that nobody named.
func backendsOf(object *TrafficSplit, named []namedService, root *model.Service) ([]model.Backend, []model.Diagnostic) {
	if len(object.Spec.Backends) == 0 {
		return nil, []model.Diagnostic{model.Note(model.NoBackends, object.at("spec.backends"), "the split lists no backends").
			Did("the requests that it would split are refused with 503").Mend("list the services to split to, or remove the split")}
	}
	var backends []model.Backend
	var notes []model.Diagnostic
	seen, weight := map[model.ServiceID]bool{}, 0
	for i, written := range object.Spec.Backends {
		service, missing := backendOf(object, i, named[i])
		if service == nil {
			notes = append(notes, missing)
			continue
		}
		if seen[service.ID] {
			notes = append(notes, model.Note(model.DuplicateBackend, object.backend(i, "service"), fmt.Sprintf("backend %s is there already", service.ID.Name)).
				Did("the first one counts").Mend("remove one of them"))
			continue
		}
		seen[service.ID] = true
		weight += written.Weight
		backends = append(backends, model.Backend{Service: service.ID, Weight: uint32(written.Weight), From: object.at(fmt.Sprintf("spec.backends[%d]", i))})
		notes = append(notes, backendFindings(object.backend(i, "service"), service, root)...)
	}
	if weight == 0 {
		notes = append(notes, model.Note(model.NoWeight, object.at("spec.backends"), "no backend that can be used has weight").
			Did("the requests that it would split are refused with 503").Mend("give a backend that exists a weight above 0, or remove the split"))
	}
	slices.SortFunc(backends, func(a, b model.Backend) int { return a.Service.Compare(b.Service) })
	return backends, notes
}

// backendOf is one backend's service; when there is none, the diagnostic says why.
func backendOf(object *TrafficSplit, i int, named namedService) (*model.Service, model.Diagnostic) {
	at, written := object.backend(i, "service"), object.Spec.Backends[i].Service
	const instead = "it gets no traffic; its share goes to the others in proportion"
	if named.spelled && named.id.Namespace != object.Namespace {
		note := model.Note(model.UnknownBackend, at, fmt.Sprintf("backend %s is in namespace %s, and the split in %s", named.id.Name, named.id.Namespace, object.Namespace)).
			Did(instead).Mend(fmt.Sprintf("name a service of namespace %s", object.Namespace))
		note.Level = model.Error
		return nil, note
	}
	if !named.spelled {
		return nil, model.Note(model.UnknownBackend, at, fmt.Sprintf("%q is not how a service is spelled", written)).Did(instead).
			Mend("write the service's name, without a port")
	}
	service, problem, mend := named.usable(othersOf(object, named.names))
	if service == nil {
		return nil, model.Note(model.UnknownBackend, at, problem).Did(instead).Mend(mend)
	}
	return service, model.Diagnostic{}
}

// othersOf are the services that a split does not name yet.
func othersOf(object *TrafficSplit, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name == object.Spec.Service || slices.ContainsFunc(object.Spec.Backends, func(b splitv1alpha4.TrafficSplitBackend) bool { return b.Service == name })
	})
}

// backendFindings are about a backend beside its root: a port of the root that it does not have (SMI T4), and that it
// is the root itself.
func backendFindings(at model.Ref, backend, root *model.Service) []model.Diagnostic {
	if backend.ID == root.ID {
		return []model.Diagnostic{model.Note(model.RootIsBackend, at, fmt.Sprintf("the root %s is a backend of its own split", root.ID.Name)).
			Did("it is taken as a plain service there").Mend("name another service if this is not meant")}
	}
	var notes []model.Diagnostic
	for port := range root.Ports.Values() {
		if _, ok := backend.Port(port.Number); !ok {
			notes = append(notes, model.Note(model.BackendPort, at, fmt.Sprintf("backend %s has no port %d, which the root %s has", backend.ID.Name, port.Number, root.ID.Name)).
				Did("it gets no traffic for that port").
				Mend(fmt.Sprintf("give service %s a port %d; its target port may differ", backend.ID.Name, port.Number)))
		}
	}
	return notes
}
