package sources

import (
	"fmt"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// serviceNames find services by what splits call them.
type serviceNames struct {
	objects  Objects
	topology topology
	// names are the names of the services of each namespace, in order, for suggestions.
	names map[string][]string
	// namespaces are those that are written, in the mesh or not.
	namespaces map[string]bool
}

func newServiceNames(objects Objects, topology topology) serviceNames {
	n := serviceNames{objects: objects, topology: topology, names: map[string][]string{}, namespaces: map[string]bool{}}
	for _, namespace := range objects.Namespaces {
		n.namespaces[namespace.Name] = true
	}
	services := slices.SortedFunc(slices.Values(topology.services), func(a, b *model.Service) int { return a.ID.Compare(b.ID) })
	for _, service := range services {
		n.names[service.ID.Namespace] = append(n.names[service.ID.Namespace], service.ID.Name)
	}
	return n
}

func (n serviceNames) isNamespace(name string) bool {
	return n.namespaces[name] || n.topology.namespaces[name]
}

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
	service, problem, mend := n.usable(id, func() []string { return n.names[id.Namespace] })
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

// usable finds a service that the mesh routes, or says why there is none and how to mend that; others makes the
// names that can have been meant, when they are needed.
func (n serviceNames) usable(id model.ServiceID, others func() []string) (service *model.Service, problem, mend string) {
	service, ok := n.topology.service(id)
	switch {
	case !ok && isBroken(n.objects, "Service", id.Namespace, id.Name):
		return nil, fmt.Sprintf("service %s is invalid", id.Name), "mend the errors reported for it"
	case !ok:
		return nil, fmt.Sprintf("namespace %s has no service %s", id.Namespace, id.Name),
			didYouMean(id.Name, others(), fmt.Sprintf("create it in namespace %s, or correct the name", id.Namespace))
	case service.ExternalName != "":
		return nil, fmt.Sprintf("service %s is an alias of %s, which the mesh does not route", id.Name, service.ExternalName),
			"name a service that is not of type ExternalName"
	}
	return service, "", ""
}
