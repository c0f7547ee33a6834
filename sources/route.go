package sources

import (
	"fmt"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// routes are what rules and splits can name: the HTTPRouteGroups and TCPRoutes of the mesh. Each is read once, however
// many name it, and findings about it are reported once, also when nobody does.
type routes struct {
	groups map[objectName]*routeGroup
	ports  map[objectName]*portRoute
	// names are the names of each kind in each namespace, in order, for suggestions.
	names map[routeKind][]string
	// broken are the routes that are written but could not be read.
	broken map[model.Ref]bool
}

type objectName struct{ namespace, name string }

type routeKind struct{ kind, namespace string }

const (
	groupKind = "HTTPRouteGroup"
	tcpKind   = "TCPRoute"
	udpKind   = "UDPRoute"
)

func resolveRoutes(objects Objects, topology topology) (routes, []model.Diagnostic) {
	all := routes{
		groups: map[objectName]*routeGroup{},
		ports:  map[objectName]*portRoute{},
		names:  map[routeKind][]string{},
		broken: map[model.Ref]bool{},
	}
	var notes []model.Diagnostic
	known := expressions{}
	for _, o := range meshed(objects.HTTPRouteGroups, topology.namespaces) {
		group, groupNotes := resolveGroup(o, known)
		all.groups[objectName{o.Namespace, o.Name}] = group
		all.name(groupKind, o.Namespace, o.Name)
		notes = append(notes, groupNotes...)
	}
	for _, o := range meshed(objects.TCPRoutes, topology.namespaces) {
		route, routeNotes := resolvePortRoute(o)
		all.ports[objectName{o.Namespace, o.Name}] = route
		all.name(tcpKind, o.Namespace, o.Name)
		notes = append(notes, routeNotes...)
	}
	for _, o := range meshed(objects.UDPRoutes, topology.namespaces) {
		notes = append(notes, model.Note(model.UDPUnsupported, refTo(udpKind, o), fmt.Sprintf("UDPRoute %s has no effect", o.Name)).
			Did("UDP passes by the mesh, neither admitted nor refused").
			Mend("remove it, and restrict UDP with a NetworkPolicy"))
	}
	for _, ref := range objects.Broken {
		all.broken[ref.Object()] = true
	}
	return all, notes
}

func (r routes) name(kind, namespace, name string) {
	key := routeKind{kind, namespace}
	r.names[key] = append(r.names[key], name)
}

// group finds an HTTPRouteGroup. When there is none, the diagnostic says so at the place that names it.
func (r routes) group(name objectName, at model.Ref) (*routeGroup, []model.Diagnostic) {
	if found, ok := r.groups[name]; ok {
		return found, nil
	}
	return nil, []model.Diagnostic{r.missing(groupKind, name, at, "it admits no request")}
}

// portRoute finds a TCPRoute. When there is none, the diagnostic says so at the place that names it.
func (r routes) portRoute(name objectName, at model.Ref) (*portRoute, []model.Diagnostic) {
	if found, ok := r.ports[name]; ok {
		return found, nil
	}
	return nil, []model.Diagnostic{r.missing(tcpKind, name, at, "it admits no port")}
}

func (r routes) missing(kind string, name objectName, at model.Ref, instead string) model.Diagnostic {
	if r.broken[model.Ref{Kind: kind, Namespace: name.namespace, Name: name.name}] {
		return model.Note(model.UnknownRoute, at, fmt.Sprintf("%s %s is invalid", kind, name.name)).Did(instead).
			Mend("mend the errors reported for it")
	}
	return model.Note(model.UnknownRoute, at, fmt.Sprintf("namespace %s has no %s %q", name.namespace, kind, name.name)).Did(instead).
		Mend(didYouMean(name.name, r.names[routeKind{kind, name.namespace}], r.elsewhere(kind, name)))
}

// elsewhere says where a route of that name is, since the namespace and the kind are what is most often mistaken.
func (r routes) elsewhere(kind string, name objectName) string {
	if kind == groupKind && r.ports[name] != nil {
		return fmt.Sprintf("there is a %s of that name: correct the kind", tcpKind)
	}
	if kind == tcpKind && r.groups[name] != nil {
		return fmt.Sprintf("there is a %s of that name: correct the kind", groupKind)
	}
	return fmt.Sprintf("create it in namespace %s, the only one that is looked at", name.namespace)
}

// portRoute is a TCPRoute: a set of pod ports.
type portRoute struct {
	object *TCPRoute
	ports  model.PortSet
}

// resolvePortRoute reads the ports of a TCPRoute. None written is all of them (SMI S7, S8); one that is written and
// invalid is no port, so that a slip never opens all.
func resolvePortRoute(o *TCPRoute) (*portRoute, []model.Diagnostic) {
	written := o.Spec.Matches.Ports
	if len(written) == 0 {
		return &portRoute{object: o, ports: model.AllPorts}, nil
	}
	var numbers []uint16
	var notes []model.Diagnostic
	for i, number := range written {
		if port, ok := portNumber(number); ok {
			numbers = append(numbers, port)
			continue
		}
		notes = append(notes, invalidPort(o.port(i), number).
			Did("the port is left out; it is never taken as all ports"))
	}
	return &portRoute{object: o, ports: portSet(numbers)}, notes
}

// port is the place of one of the ports.
func (o *TCPRoute) port(i int) model.Ref {
	return refTo(tcpKind, o).At(fmt.Sprintf("spec.matches.ports[%d]", i))
}

// named says whether a rule that lists matches means this route: it does unless the route's one match has a name, and
// the rule lists others only.
func (r *portRoute) named(matches []string) bool {
	name := r.object.Spec.Matches.Name
	return name == "" || len(matches) == 0 || slices.Contains(matches, name)
}
