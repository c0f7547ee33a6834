package sources

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// serviceNames find services by what splits call them.
type serviceNames struct {
	services map[model.ServiceID]*model.Service
	// names are the names of the services of each namespace, in order, for suggestions.
	names map[string][]string
	// namespaces are those that are written, in the mesh or not.
	namespaces map[string]bool
	// broken are the objects that are written but could not be read.
	broken []model.Ref
}

// serviceNamesInput is the services of the mesh, the namespaces that are written and those of the mesh, and what could not
// be read.
type serviceNamesInput struct {
	services   []*model.Service
	namespaces []*corev1.Namespace
	meshed     []string
	broken     []model.Ref
}

func newServiceNames(in serviceNamesInput, _ *serviceNames) *serviceNames {
	n := &serviceNames{
		services: make(map[model.ServiceID]*model.Service, len(in.services)), names: map[string][]string{}, namespaces: map[string]bool{}, broken: in.broken,
	}
	for _, namespace := range in.namespaces {
		n.namespaces[namespace.Name] = true
	}
	for _, name := range in.meshed {
		n.namespaces[name] = true
	}
	services := slices.SortedFunc(slices.Values(in.services), func(a, b *model.Service) int { return a.ID.Compare(b.ID) })
	for _, service := range services {
		n.services[service.ID] = service
		n.names[service.ID.Namespace] = append(n.names[service.ID.Namespace], service.ID.Name)
	}
	return n
}

// namedService is the service that a split names, as it was found: everything that can be said of the name.
type namedService struct {
	id model.ServiceID
	// spelled says that the name is one that a service can have.
	spelled bool
	service *model.Service
	// broken says that it is written but could not be read, and names are those that its namespace has; for suggestions, if
	// there is none.
	broken bool
	names  []string
}

// find looks up what a host means in a namespace.
func (n *serviceNames) find(host, namespace string) namedService {
	id, spelled := spelledService(host, namespace, func(name string) bool { return n.namespaces[name] })
	found := namedService{id: id, spelled: spelled}
	if spelled {
		found.service = n.services[id]
	}
	if found.service == nil {
		found.broken = isBroken(Objects{Broken: n.broken}, "Service", id.Namespace, id.Name)
		found.names = n.names[namespace]
	}
	return found
}

// splitRoot finds the service that a split is for; nil when there is none that it may split.
func splitRoot(object *TrafficSplit, named namedService) (*model.Service, []model.Diagnostic) {
	at, written := object.at("spec.service"), object.Spec.Service
	_, port, ok := hostPort(written)
	if !ok || !named.spelled {
		return nil, []model.Diagnostic{model.Note(model.UnknownRoot, at, fmt.Sprintf("%q is not how a service is spelled", written)).
			Did("nothing is split").Mend("write the service's name, such as bookstore or bookstore.shop.svc.cluster.local")}
	}
	if named.id.Namespace != object.Namespace {
		return nil, []model.Diagnostic{model.Note(model.SplitElsewhere, at,
			fmt.Sprintf("the root %s is in namespace %s, and the split in %s", named.id.Name, named.id.Namespace, object.Namespace)).
			Did("the split is left out").Mend(fmt.Sprintf("move the split and its backends to namespace %s", named.id.Namespace))}
	}
	service, problem, mend := named.usable(named.names)
	if service == nil {
		return nil, []model.Diagnostic{model.Note(model.UnknownRoot, at, problem).Did("nothing is split").Mend(mend)}
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

// usable is the service if the mesh routes it, or says why it does not and how to mend that; others are the
// names that can have been meant.
func (n namedService) usable(others []string) (service *model.Service, problem, mend string) {
	switch {
	case n.service == nil && n.broken:
		return nil, fmt.Sprintf("service %s is invalid", n.id.Name), "mend the errors reported for it"
	case n.service == nil:
		return nil, fmt.Sprintf("namespace %s has no service %s", n.id.Namespace, n.id.Name),
			didYouMean(n.id.Name, others, fmt.Sprintf("create it in namespace %s, or correct the name", n.id.Namespace))
	case n.service.ExternalName != "":
		return nil, fmt.Sprintf("service %s is an alias of %s, which the mesh does not route", n.id.Name, n.service.ExternalName),
			"name a service that is not of type ExternalName"
	}
	return n.service, "", ""
}
