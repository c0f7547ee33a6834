package sources

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// resolvePermissions makes one permission of each TrafficTarget in the mesh that admits somebody to something. In
// permissive mode they are made as well, so that they can be checked before they are enforced.
func resolvePermissions(objects Objects, settings model.Settings, topology topology, routes routes) ([]*model.Permission, []model.Diagnostic) {
	targets := meshed(objects.TrafficTargets, topology.namespaces)
	accounts := accountNames(objects, topology)
	permissions := make([]*model.Permission, len(targets))
	var notes []model.Diagnostic
	for i, target := range targets {
		permission, found := permissionOf(target, topology, routes, accounts)
		permissions[i], notes = permission, append(notes, found...)
	}
	notes = append(notes, closedDoors(targets, permissions, topology)...)
	if settings.Permissive && len(targets) > 0 {
		notes = append(notes, model.Note(model.TargetsIgnored, targets[0].at(""),
			count(len(targets), "TrafficTarget has", "TrafficTargets have")+" no effect: the mesh is in permissive mode").
			Did("every service of the mesh may call every other one").
			Mend("set spec.traffic.enablePermissiveTrafficPolicyMode of the MeshConfig to false to enforce them"))
	}
	return slices.DeleteFunc(permissions, func(p *model.Permission) bool { return p == nil }), notes
}

// permissionOf makes the permission of a TrafficTarget; nil when it admits nobody, or nothing.
func permissionOf(target *TrafficTarget, topology topology, routes routes, accounts map[string][]string) (*model.Permission, []model.Diagnostic) {
	destination, valid, notes := destinationOf(target)
	sources, sourceNotes := sourcesOf(target)
	granted, ruleNotes := grantOf(target, routes)
	notes = slices.Concat(notes, sourceNotes, ruleNotes)
	if !valid {
		return nil, notes
	}
	if topology.hasIdentity(destination) {
		notes = append(notes, portFindings(target, granted, routes, topology.members(destination))...)
	} else {
		notes = append(notes, unknownIdentity(target, destination, accounts[destination.Namespace]))
	}
	if len(sources) == 0 || granted.http.Ports.IsZero() && granted.tcp.IsZero() {
		return nil, notes
	}
	return &model.Permission{
		Namespace:   target.Namespace,
		Name:        target.Name,
		Destination: destination,
		Sources:     model.ListOf(sources...),
		HTTP:        granted.http,
		TCP:         granted.tcp,
		From:        target.at(""),
	}, notes
}

// at is a place in the target's text: in v1alpha1 fields stand at the top, and rules are called specs (SMI A10).
func (t *TrafficTarget) at(field string) model.Ref {
	if field != "" && t.Version != "v1alpha1" {
		field = "spec." + field
	}
	return refTo("TrafficTarget", t).At(field)
}

// rule is a place in one rule of the target.
func (t *TrafficTarget) rule(i int, field string) model.Ref {
	list := t.rules()
	return list.At(strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", list.Field, i, field), "."))
}

// rules is the place of all rules of the target.
func (t *TrafficTarget) rules() model.Ref {
	if t.Version == "v1alpha1" {
		return t.at("specs")
	}
	return t.at("rules")
}
