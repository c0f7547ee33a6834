package sources

import (
	"fmt"
	"slices"

	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"

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
	notes  []model.Diagnostic

	readGroups map[*HTTPRouteGroup]readGroup
	readPorts  map[*TCPRoute]readPortRoute
}

type readGroup struct {
	group *routeGroup
	notes []model.Diagnostic
}

type readPortRoute struct {
	route *portRoute
	notes []model.Diagnostic
}

// routesInput is the routes that are written, in order, and the objects that could not be read.
type routesInput struct {
	groups []*HTTPRouteGroup
	tcp    []*TCPRoute
	udp    []*specsv1alpha4.UDPRoute
	broken []model.Ref
}

type objectName struct{ namespace, name string }

type routeKind struct{ kind, namespace string }

const (
	groupKind = "HTTPRouteGroup"
	tcpKind   = "TCPRoute"
	udpKind   = "UDPRoute"
)

func resolveRoutes(in routesInput, before *routes) *routes {
	if before == nil {
		before = &routes{}
	}
	all := &routes{
		groups: map[objectName]*routeGroup{}, ports: map[objectName]*portRoute{},
		names: map[routeKind][]string{}, broken: map[model.Ref]bool{},
		readGroups: map[*HTTPRouteGroup]readGroup{}, readPorts: map[*TCPRoute]readPortRoute{},
	}
	known := expressions{}
	for _, o := range in.groups {
		read := reused(all.readGroups, before.readGroups, o, func(o *HTTPRouteGroup) readGroup {
			group, notes := resolveGroup(o, known)
			return readGroup{group, notes}
		})
		all.groups[objectName{o.Namespace, o.Name}] = read.group
		all.name(groupKind, o.Namespace, o.Name)
		all.notes = append(all.notes, read.notes...)
	}
	for _, o := range in.tcp {
		read := reused(all.readPorts, before.readPorts, o, func(o *TCPRoute) readPortRoute {
			route, notes := resolvePortRoute(o)
			return readPortRoute{route, notes}
		})
		all.ports[objectName{o.Namespace, o.Name}] = read.route
		all.name(tcpKind, o.Namespace, o.Name)
		all.notes = append(all.notes, read.notes...)
	}
	for _, o := range in.udp {
		all.notes = append(all.notes, model.Note(model.UDPUnsupported, refTo(udpKind, o), fmt.Sprintf("UDPRoute %s has no effect", o.Name)).
			Did("UDP passes by the mesh, neither admitted nor refused").
			Mend("remove it, and restrict UDP with a NetworkPolicy"))
	}
	for _, ref := range in.broken {
		all.broken[ref.Object()] = true
	}
	return all
}

func (r *routes) name(kind, namespace, name string) {
	key := routeKind{kind, namespace}
	r.names[key] = append(r.names[key], name)
}

// namedRoute is the route that a reference names, as it was found: everything that can be said of the reference.
type namedRoute struct {
	// group or port is the route, if there is one of the kind that is named.
	group *routeGroup
	port  *portRoute
	// broken says that it is written but could not be read, otherKind that one of the other kind has the name, and names are
	// those that the namespace has; for suggestions, if there is none.
	broken, otherKind bool
	names             []string
}

// find looks a route up.
func (r *routes) find(kind string, name objectName) namedRoute {
	found := namedRoute{}
	group, isGroup := r.groups[name]
	port, isPort := r.ports[name]
	switch {
	case kind == groupKind && isGroup:
		found.group = group
	case kind == tcpKind && isPort:
		found.port = port
	case kind == groupKind || kind == tcpKind:
		found.broken = r.broken[model.Ref{Kind: kind, Namespace: name.namespace, Name: name.name}]
		found.otherKind = isGroup || isPort
		found.names = r.names[routeKind{kind, name.namespace}]
	}
	return found
}

// missingGroup says, at the place that names it, that there is no such HTTPRouteGroup.
func (r namedRoute) missingGroup(name objectName, at model.Ref) model.Diagnostic {
	return r.missing(groupKind, tcpKind, name, at, "it admits no request")
}

// missingPort says, at the place that names it, that there is no such TCPRoute.
func (r namedRoute) missingPort(name objectName, at model.Ref) model.Diagnostic {
	return r.missing(tcpKind, groupKind, name, at, "it admits no port")
}

func (r namedRoute) missing(kind, other string, name objectName, at model.Ref, instead string) model.Diagnostic {
	if r.broken {
		return model.Note(model.UnknownRoute, at, fmt.Sprintf("%s %s is invalid", kind, name.name)).Did(instead).
			Mend("mend the errors reported for it")
	}
	// The namespace and the kind are what is most often mistaken.
	otherwise := fmt.Sprintf("create it in namespace %s, the only one that is looked at", name.namespace)
	if r.otherKind {
		otherwise = fmt.Sprintf("there is a %s of that name: correct the kind", other)
	}
	return model.Note(model.UnknownRoute, at, fmt.Sprintf("namespace %s has no %s %q", name.namespace, kind, name.name)).Did(instead).
		Mend(didYouMean(name.name, r.names, otherwise))
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
