package sources

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// permissionsInput is the TrafficTargets of the mesh, by namespace and name, and what they can name.
type permissionsInput struct {
	targets    []*TrafficTarget
	identities map[model.Identity]bool
	members    *memberIndex
	accounts   map[string][]string
	routes     *routes
}

// permissionsMade are the permissions of TrafficTargets.
type permissionsMade struct {
	// all are the permissions, in order, one for each target; nil for those that admit nobody, or nothing.
	all   []*model.Permission
	notes []model.Diagnostic

	stages family[objectName, targetInput, madePermission]
}

// resolvePermissions makes one permission of each TrafficTarget in the mesh that admits somebody to something. In
// permissive mode they are made as well, so that they can be checked before they are enforced.
func resolvePermissions(in permissionsInput, before *permissionsMade) *permissionsMade {
	if before == nil {
		before = &permissionsMade{}
	}
	p := &permissionsMade{stages: make(family[objectName, targetInput, madePermission], len(in.targets))}
	for _, target := range in.targets {
		made := p.stages.again(before.stages, objectName{target.Namespace, target.Name}, in.of(target), permissionOf)
		p.all, p.notes = append(p.all, made.permission), append(p.notes, made.notes...)
	}
	p.notes = append(p.notes, closedDoors(in.targets, p.all, in.members)...)
	return p
}

// ignored says that there are TrafficTargets in permissive mode.
func ignored(targets []*TrafficTarget, permissive bool) []model.Diagnostic {
	if !permissive || len(targets) == 0 {
		return nil
	}
	return []model.Diagnostic{model.Note(model.TargetsIgnored, targets[0].at(""),
		count(len(targets), "TrafficTarget has", "TrafficTargets have")+" no effect: the mesh is in permissive mode").
		Did("every service of the mesh may call every other one").
		Mend("set spec.traffic.enablePermissiveTrafficPolicyMode of the MeshConfig to false to enforce them")}
}

// targetInput is all that a permission is made of.
type targetInput struct {
	target *TrafficTarget
	// exists says that some workload runs as the destination, members are the ports that it serves then, and accounts the
	// names that could have been meant otherwise.
	exists   bool
	members  []model.Member
	accounts []string
	// routes are what the rules name, one for each.
	routes []namedRoute
}

// of looks up what a target names.
func (in permissionsInput) of(target *TrafficTarget) targetInput {
	t := targetInput{target: target}
	if destination, valid, _ := destinationOf(target); valid {
		t.exists = in.identities[destination]
		if t.exists {
			t.members = in.members.of[destination]
		} else {
			t.accounts = in.accounts[destination.Namespace]
		}
	}
	for _, rule := range target.Spec.Rules {
		t.routes = append(t.routes, in.routes.find(rule.Kind, objectName{target.Namespace, rule.Name}))
	}
	return t
}

// madePermission is what became of a target.
type madePermission struct {
	permission *model.Permission
	notes      []model.Diagnostic
}

// permissionOf makes the permission of a TrafficTarget; nil when it admits nobody, or nothing.
func permissionOf(in targetInput, before madePermission) madePermission {
	target := in.target
	destination, valid, notes := destinationOf(target)
	sources, sourceNotes := sourcesOf(target)
	granted, ruleNotes := grantOf(target, in.routes)
	notes = slices.Concat(notes, sourceNotes, ruleNotes)
	if !valid {
		return madePermission{notes: notes}
	}
	if in.exists {
		notes = append(notes, portFindings(target, granted, in.routes, in.members)...)
	} else {
		notes = append(notes, unknownIdentity(target, destination, in.accounts))
	}
	if len(sources) == 0 || granted.http.Ports.IsZero() && granted.tcp.IsZero() {
		return madePermission{notes: notes}
	}
	return madePermission{kept(before.permission, &model.Permission{
		Namespace:   target.Namespace,
		Name:        target.Name,
		Destination: destination,
		Sources:     model.ListOf(sources...),
		HTTP:        granted.http,
		TCP:         granted.tcp,
		From:        target.at(""),
	}), notes}
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
