package sources

import (
	"fmt"
	"maps"
	"math"
	"slices"

	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
)

// serviceNames find services by what splits call them.
type serviceNames struct {
	topology topology
	// names are the names of the services of each namespace, in order, for suggestions.
	names map[string][]string
	// namespaces are all that are known, in the mesh or not.
	namespaces map[string]bool
}

func namesOf(services []*model.Service) map[string][]string {
	names := map[string][]string{}
	for _, service := range services {
		names[service.ID.Namespace] = append(names[service.ID.Namespace], service.ID.Name)
	}
	for _, namespace := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[namespace])
	}
	return names
}

func namespacesOf(objects Objects, topology topology) map[string]bool {
	known := map[string]bool{}
	for _, namespace := range slices.Sorted(maps.Keys(topology.namespaces)) {
		known[namespace] = true
	}
	for _, namespace := range objects.Namespaces {
		known[namespace.Name] = true
	}
	return known
}

func (n serviceNames) isNamespace(name string) bool { return n.namespaces[name] }

// root finds the service that a split is for; nil when there is none that it may split.
func (n serviceNames) root(object *TrafficSplit) (*model.Service, []model.Diagnostic) {
	at, written := object.at("spec.service"), object.Spec.Service
	host, port, ok := hostPort(written)
	id, spelled := spelledService(host, object.Namespace, n.isNamespace)
	if !ok || !spelled {
		return nil, []model.Diagnostic{model.Note(model.UnknownRoot, at, fmt.Sprintf("%q is not how a service is spelled", written)).
			Did("nothing is split").Mend("write the service's name, such as bookstore or bookstore.shop.svc.cluster.local")}
	}
	if id.Namespace != object.Namespace {
		return nil, []model.Diagnostic{model.Note(model.SplitElsewhere, at,
			fmt.Sprintf("the root %s is in namespace %s, and the split in %s", id.Name, id.Namespace, object.Namespace)).
			Did("the split is left out").Mend(fmt.Sprintf("move the split and its backends to namespace %s", id.Namespace))}
	}
	service, problem := n.usable(id)
	if problem != "" {
		return nil, []model.Diagnostic{model.Note(model.UnknownRoot, at, problem).Did("nothing is split").
			Mend(didYouMean(id.Name, n.names[id.Namespace], fmt.Sprintf("create service %s in namespace %s", id.Name, id.Namespace)))}
	}
	return rootAt(object, service, port)
}

// rootAt looks at a port that is written behind the root. A split is for all ports of its root (SMI T4).
func rootAt(object *TrafficSplit, service *model.Service, port uint16) (*model.Service, []model.Diagnostic) {
	if port == 0 {
		return service, nil
	}
	at := object.at("spec.service")
	if _, ok := service.Port(port); !ok {
		return nil, []model.Diagnostic{model.Note(model.UnknownRoot, at, fmt.Sprintf("service %s has no port %d", service.ID, port)).
			Did("nothing is split").Mend("write the service without a port")}
	}
	if service.Ports.Len() > 1 {
		return service, []model.Diagnostic{model.Note(model.InertSetting, at, fmt.Sprintf("port %d does not restrict the split", port)).
			Did("every port of the root is split").Mend("write the service without a port")}
	}
	return service, nil
}

// usable finds a service that the mesh routes, or says why there is none.
func (n serviceNames) usable(id model.ServiceID) (*model.Service, string) {
	service, ok := n.topology.service(id)
	if !ok {
		return nil, fmt.Sprintf("namespace %s has no service %s", id.Namespace, id.Name)
	}
	if service.ExternalName != "" {
		return nil, fmt.Sprintf("service %s is an alias of %s, which the mesh does not route", id.Name, service.ExternalName)
	}
	return service, ""
}

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

// backends are the backends of a split that can be used, by name. None, or none with weight, is a split that refuses
// its requests: they are never sent to somewhere that nobody named.
func (n serviceNames) backends(object *TrafficSplit, root *model.Service) ([]model.Backend, []model.Diagnostic) {
	if len(object.Spec.Backends) == 0 {
		return nil, []model.Diagnostic{model.Note(model.NoBackends, object.at("spec.backends"), "the split lists no backends").
			Did("the requests that it would split are refused with 503").Mend("list the services to split to, or remove the split")}
	}
	var backends []model.Backend
	var notes []model.Diagnostic
	seen, weight := map[model.ServiceID]bool{}, 0
	for i, written := range object.Spec.Backends {
		service, missing := n.backend(object, i)
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

// backend finds one backend's service; when there is none, the diagnostic says why.
func (n serviceNames) backend(object *TrafficSplit, i int) (*model.Service, model.Diagnostic) {
	at, written := object.backend(i, "service"), object.Spec.Backends[i].Service
	id, spelled := spelledService(written, object.Namespace, n.isNamespace)
	const instead = "it gets no traffic; its share goes to the others in proportion"
	if spelled && id.Namespace != object.Namespace {
		note := model.Note(model.UnknownBackend, at, fmt.Sprintf("backend %s is in namespace %s, and the split in %s", id.Name, id.Namespace, object.Namespace)).
			Did(instead).Mend(fmt.Sprintf("name a service of namespace %s", object.Namespace))
		note.Level = model.Error
		return nil, note
	}
	service, problem := n.usable(id)
	if !spelled {
		problem = fmt.Sprintf("%q is not how a service is spelled", written)
	}
	if problem != "" {
		return nil, model.Note(model.UnknownBackend, at, problem).Did(instead).
			Mend(didYouMean(written, n.others(object), fmt.Sprintf("create it in namespace %s, or correct the name", object.Namespace)))
	}
	return service, model.Diagnostic{}
}

// others are the services that a split does not name yet.
func (n serviceNames) others(object *TrafficSplit) []string {
	return slices.DeleteFunc(slices.Clone(n.names[object.Namespace]), func(name string) bool {
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
