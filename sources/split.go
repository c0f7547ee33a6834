package sources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// splitsInput is the TrafficSplits of the mesh, by namespace and name, and what they can name.
type splitsInput struct {
	objects  []*TrafficSplit
	services *serviceNames
	routes   *routes
}

// splitsMade are the splits.
type splitsMade struct {
	all   []*model.Split
	notes []model.Diagnostic

	stages family[objectName, splitInput, madeSplit]
}

// resolveSplits makes the splits of the mesh: by root, and those of one root in order of precedence. A request takes
// the first split that its root has for it: those with matches by age, then the one without.
func resolveSplits(in splitsInput, before *splitsMade) *splitsMade {
	if before == nil {
		before = &splitsMade{}
	}
	s := &splitsMade{stages: make(family[objectName, splitInput, madeSplit], len(in.objects))}
	var claims []claim
	for _, object := range in.objects {
		made := s.stages.again(before.stages, objectName{object.Namespace, object.Name}, in.of(object), splitOf)
		s.notes = append(s.notes, made.notes...)
		if made.split != nil {
			claims = append(claims, claim{object, made.split})
		}
	}
	splits, conflicts := settle(claims)
	s.all, s.notes = splits, append(s.notes, conflicts...)
	return s
}

// splitInput is all that a split is made of.
type splitInput struct {
	object *TrafficSplit
	// root and backends are the services that it names, groups the routes that its matches name; one for each.
	root     namedService
	backends []namedService
	groups   []namedRoute
}

// of looks up what a split names.
func (in splitsInput) of(object *TrafficSplit) splitInput {
	host, _, _ := hostPort(object.Spec.Service)
	s := splitInput{object: object, root: in.services.find(host, object.Namespace)}
	for _, written := range object.Spec.Backends {
		s.backends = append(s.backends, in.services.find(written.Service, object.Namespace))
	}
	for _, written := range object.Spec.Matches {
		s.groups = append(s.groups, in.routes.find(groupKind, objectName{object.Namespace, written.Name}))
	}
	return s
}

// madeSplit is what became of a TrafficSplit.
type madeSplit struct {
	split *model.Split
	notes []model.Diagnostic
}

// splitOf makes the split of a TrafficSplit; nil when it must be left out, or when it splits nothing.
func splitOf(in splitInput, before madeSplit) madeSplit {
	object := in.object
	if notes := checkWeights(object); len(notes) > 0 {
		return madeSplit{notes: notes}
	}
	root, notes := splitRoot(object, in.root)
	if root == nil {
		return madeSplit{notes: notes}
	}
	requests, requestNotes := requestsOf(object, in.groups)
	backends, backendNotes := backendsOf(object, in.backends, root)
	notes = slices.Concat(notes, requestNotes, backendNotes, matchesOnTCP(object, root))
	if requests.IsZero() {
		return madeSplit{notes: notes}
	}
	return madeSplit{kept(before.split, &model.Split{
		Namespace: object.Namespace,
		Name:      object.Name,
		Root:      root.ID,
		Requests:  requests,
		Backends:  model.ListOf(backends...),
		From:      object.at(""),
	}), notes}
}

// at is a place in the split's text.
func (s *TrafficSplit) at(field string) model.Ref { return refTo("TrafficSplit", s).At(field) }

// requestsOf are the requests that are split: those that one of the route groups named by matches accepts, or all
// when none is named (SMI T9). Groups that are missing accept nothing.
func requestsOf(object *TrafficSplit, groups []namedRoute) (model.Requests, []model.Diagnostic) {
	if len(object.Spec.Matches) == 0 {
		return model.AllRequests, nil
	}
	var matches []model.Match
	var notes []model.Diagnostic
	for i, written := range object.Spec.Matches {
		at := func(field string) model.Ref { return object.at(fmt.Sprintf("spec.matches[%d].%s", i, field)) }
		if field, value := foreignReference(written); field != "" {
			notes = append(notes, model.Note(model.UnknownRule, at(field), fmt.Sprintf("matches of a split cannot refer to %s %q", field, value)).
				Did("no request is split for it").Mend("refer to an HTTPRouteGroup of apiGroup "+specsGroup))
			continue
		}
		if group := groups[i].group; group != nil {
			matches = append(matches, group.all...)
			continue
		}
		missing := groups[i].missingGroup(objectName{object.Namespace, written.Name}, at("name"))
		notes = append(notes, missing.Did("no request is split for it"))
	}
	return requests(matches), notes
}

// foreignReference finds the field that makes a reference one to something else than an HTTPRouteGroup. The group may
// be written with a version, and may be left out.
func foreignReference(reference corev1.TypedLocalObjectReference) (field, value string) {
	if reference.Kind != groupKind {
		return "kind", reference.Kind
	}
	if reference.APIGroup == nil || *reference.APIGroup == "" {
		return "", ""
	}
	if group, _, _ := strings.Cut(*reference.APIGroup, "/"); group != specsGroup {
		return "apiGroup", *reference.APIGroup
	}
	return "", ""
}

// matchesOnTCP warns of ports of the root at which there are no requests to look at.
func matchesOnTCP(object *TrafficSplit, root *model.Service) []model.Diagnostic {
	var ports []uint16
	for port := range root.Ports.Values() {
		if !port.Protocol.IsHTTP() {
			ports = append(ports, port.Number)
		}
	}
	if len(ports) == 0 || len(object.Spec.Matches) == 0 {
		return nil
	}
	return []model.Diagnostic{
		model.Note(model.MatchesOnTCP, object.at("spec.matches"), fmt.Sprintf("matches look at requests, and %s no HTTP", speaks(ports))).
			Did("connections there go to the root").
			Mend("split them by a TrafficSplit without matches, or set appProtocol if the port is HTTP"),
	}
}

// claim is a split that wants its root.
type claim struct {
	object *TrafficSplit
	split  *model.Split
}

// settle orders the splits of each root and leaves out those that nothing tells apart from an earlier one.
func settle(claims []claim) ([]*model.Split, []model.Diagnostic) {
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(a.split.Root.Compare(b.split.Root), last(a.split.Requests.All, b.split.Requests.All), byAge(a.object, b.object))
	})
	var splits []*model.Split
	var notes []model.Diagnostic
	var settled []claim
	for _, c := range claims {
		if len(settled) > 0 && settled[0].split.Root != c.split.Root {
			settled = nil
		}
		if i := slices.IndexFunc(settled, c.same); i >= 0 {
			notes = append(notes, conflict(c, settled[i]))
			continue
		}
		settled, splits = append(settled, c), append(splits, c.split)
	}
	return splits, notes
}

// same says whether nothing tells two claims to one root apart.
func (c claim) same(other claim) bool { return sameRequests(c.split.Requests, other.split.Requests) }

// last puts what is true behind what is not.
func last(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

func conflict(loser, winner claim) model.Diagnostic {
	instead := "it is left out"
	if loser.object.CreationTimestamp.IsZero() || winner.object.CreationTimestamp.IsZero() {
		instead += "; a cluster keeps the older one, which cannot be told here"
	}
	return model.Note(model.SplitConflict, loser.object.at("spec.service"),
		fmt.Sprintf("TrafficSplit %s splits the same requests for %s", winner.split.Name, loser.split.Root.Name)).
		Did(instead).Mend("merge the two, or tell them apart by matches")
}
