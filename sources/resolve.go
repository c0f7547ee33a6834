package sources

import (
	"slices"

	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
)

// Resolve says what the objects mean. It reads nothing else, and never fails: what is unclear is denied, and the
// diagnostics, in no particular order, say what was done instead.
func Resolve(objects Objects) (*model.Mesh, []model.Diagnostic) {
	r := ResolveFrom(objects, nil)
	return r.Mesh, r.Diagnostics
}

// Resolution is what Resolve makes of objects, with what it takes to make another one of objects that differ a little. It
// does not change.
type Resolution struct {
	Mesh *model.Mesh
	// Diagnostics are in no particular order.
	Diagnostics []model.Diagnostic

	topology *resolvedTopology
	policies policies
}

// ResolveFrom is Resolve, and takes from a previous resolution, which may be nil, whatever is made of the same: services,
// proxies, permissions and splits that say what they said are the same by pointer. The result says what Resolve would.
func ResolveFrom(objects Objects, previous *Resolution) *Resolution {
	if previous == nil {
		previous = &Resolution{topology: &resolvedTopology{}, Mesh: model.New(model.Parts{})}
	}
	settings, settingsNotes := resolveSettings(objects)
	r := &Resolution{topology: topologyFrom(objects, settings.Permissive, previous.topology)}
	r.policies = previous.policies.again(objects, settings, r.topology.topology)
	r.Mesh = model.NewFrom(model.Parts{
		Settings:    settings,
		Services:    model.ListOf(r.topology.services...),
		Proxies:     model.ListOf(r.topology.proxies...),
		Permissions: model.ListOf(r.policies.permissions()...),
		Splits:      model.ListOf(r.policies.splits.out.all...),
	}, previous.Mesh)
	r.Diagnostics = slices.Concat(settingsNotes, r.topology.notes, r.policies.notes())
	return r
}

// policies are what may be called by whom, and the stages in which that was found out.
type policies struct {
	targets      stage[meshedInput[*TrafficTarget], []*TrafficTarget]
	groups       stage[meshedInput[*HTTPRouteGroup], []*HTTPRouteGroup]
	tcp          stage[meshedInput[*TCPRoute], []*TCPRoute]
	udp          stage[meshedInput[*specsv1alpha4.UDPRoute], []*specsv1alpha4.UDPRoute]
	splitObjects stage[meshedInput[*TrafficSplit], []*TrafficSplit]

	routes      stage[routesInput, *routes]
	accounts    stage[namesInput, map[string][]string]
	targetsMade stage[permissionsInput, *permissionsMade]
	names       stage[serviceNamesInput, *serviceNames]
	splits      stage[splitsInput, *splitsMade]
	ignored     []model.Diagnostic
}

func (p policies) again(o Objects, settings model.Settings, t topology) policies {
	names := t.meshedNames()
	n := policies{
		targets:      p.targets.again(meshedInput[*TrafficTarget]{o.TrafficTargets, names}, meshedOnly),
		groups:       p.groups.again(meshedInput[*HTTPRouteGroup]{o.HTTPRouteGroups, names}, meshedOnly),
		tcp:          p.tcp.again(meshedInput[*TCPRoute]{o.TCPRoutes, names}, meshedOnly),
		udp:          p.udp.again(meshedInput[*specsv1alpha4.UDPRoute]{o.UDPRoutes, names}, meshedOnly),
		splitObjects: p.splitObjects.again(meshedInput[*TrafficSplit]{o.TrafficSplits, names}, meshedOnly),
	}
	n.routes = p.routes.again(routesInput{n.groups.out, n.tcp.out, n.udp.out, o.Broken}, resolveRoutes)
	n.accounts = p.accounts.again(namesInput{o.ServiceAccounts, t.served.identities}, accountNames)
	n.targetsMade = p.targetsMade.again(permissionsInput{n.targets.out, t.identities, t.served, n.accounts.out, n.routes.out}, resolvePermissions)
	n.names = p.names.again(serviceNamesInput{t.services, o.Namespaces, names, o.Broken}, newServiceNames)
	n.splits = p.splits.again(splitsInput{n.splitObjects.out, n.names.out, n.routes.out}, resolveSplits)
	n.ignored = ignored(n.targets.out, settings.Permissive)
	return n
}

// permissions are those of the targets that admit somebody to something.
func (p policies) permissions() []*model.Permission {
	var all []*model.Permission
	for _, permission := range p.targetsMade.out.all {
		if permission != nil {
			all = append(all, permission)
		}
	}
	return all
}

func (p policies) notes() []model.Diagnostic {
	return slices.Concat(p.routes.out.notes, p.targetsMade.out.notes, p.ignored, p.splits.out.notes)
}
