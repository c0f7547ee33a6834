package sources

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// grant is what the rules of one TrafficTarget admit.
type grant struct {
	http model.HTTPGrant
	tcp  model.PortSet
}

// grantOf reads the rules of a target; routes are what they name, one for each. What kind of grant it is follows from the kinds that are written, before
// anything is looked up, so that a missing object only ever takes away:
//
//	HTTPRouteGroup              its requests, on every port
//	HTTPRouteGroup + TCPRoute   its requests, on the ports of the TCPRoute (SMI A11)
//	TCPRoute                    everything on its ports, HTTP requests as well (SMI A8)
func grantOf(target *TrafficTarget, routes []namedRoute) (grant, []model.Diagnostic) {
	if len(target.Spec.Rules) == 0 {
		return grant{}, []model.Diagnostic{noRules(target)}
	}
	limit, notes := limitOf(target)
	matches, matchNotes := matchesOf(target, routes)
	ports, portNotes := portsOf(target, routes)
	notes = slices.Concat(notes, matchNotes, portNotes)
	ports = intersection(limit, ports)
	switch shapeOf(target) {
	case requestsOnly:
		return grant{http: httpGrant(limit, requests(matches))}, notes
	case requestsOnPorts:
		return grant{http: httpGrant(ports, requests(matches))}, notes
	case portsOnly:
		return grant{http: httpGrant(ports, model.AllRequests), tcp: ports}, notes
	default:
		return grant{}, notes
	}
}

func noRules(target *TrafficTarget) model.Diagnostic {
	return model.Note(model.NoRules, target.rules(), "the TrafficTarget lists no rules").Did("it admits nothing").
		Mend("name an HTTPRouteGroup, or a TCPRoute without ports to admit everything")
}

// httpGrant admits requests at ports; without either it is the zero value.
func httpGrant(ports model.PortSet, requests model.Requests) model.HTTPGrant {
	if ports.IsZero() || requests.IsZero() {
		return model.HTTPGrant{}
	}
	return model.HTTPGrant{Ports: ports, Requests: requests}
}

// shape is what kind of grant the kinds of a target's rules make.
type shape int

const (
	nothing shape = iota
	requestsOnly
	requestsOnPorts
	portsOnly
)

// shapeOf decides by the kinds alone. A kind that is not known counts as what it was most likely meant as: a TCPRoute
// when it is spelled like one, else something that restricts requests. It never turns a restriction into none.
// UDPRoutes say nothing about TCP.
func shapeOf(target *TrafficTarget) shape {
	requests, ports := false, false
	for _, rule := range target.Spec.Rules {
		switch meant(rule.Kind) {
		case udpKind:
		case tcpKind:
			ports = true
		default:
			requests = true
		}
	}
	switch {
	case requests && ports:
		return requestsOnPorts
	case requests:
		return requestsOnly
	case ports:
		return portsOnly
	default:
		return nothing
	}
}

// meant is the kind that a rule's kind is, or is a slip of; empty when it is neither. A slip is one letter, or the case
// of letters: two letters lie between HTTPRoute and TCPRoute already.
func meant(kind string) string {
	for _, known := range []string{groupKind, tcpKind, udpKind} {
		if distance(strings.ToLower(kind), strings.ToLower(known), 1) <= 1 {
			return known
		}
	}
	return ""
}

// limitOf is the port that the destination of v1alpha1 and v1alpha2 restricts a target to (SMI A7); all when none is
// written, and none when it is invalid.
func limitOf(target *TrafficTarget) (model.PortSet, []model.Diagnostic) {
	if target.Port == nil {
		return model.AllPorts, nil
	}
	port, ok := portNumber(*target.Port)
	if !ok {
		return model.PortSet{}, []model.Diagnostic{
			invalidPort(target.at("destination.port"), *target.Port).Did("the TrafficTarget admits nothing; it is never taken as all ports"),
		}
	}
	return portSet([]uint16{port}), nil
}

// matchesOf are the matches that a target's HTTPRouteGroups admit, and what is found about its rules of other kinds.
func matchesOf(target *TrafficTarget, routes []namedRoute) ([]model.Match, []model.Diagnostic) {
	var matches []model.Match
	var notes []model.Diagnostic
	for i, rule := range target.Spec.Rules {
		switch rule.Kind {
		case groupKind:
			found, ruleNotes := matchesOfRule(target, i, routes)
			matches, notes = append(matches, found...), append(notes, ruleNotes...)
		case tcpKind:
		case udpKind:
			notes = append(notes, model.Note(model.UDPUnsupported, target.rule(i, ""), fmt.Sprintf("the rule names UDPRoute %s", rule.Name)).
				Did("it admits nothing; the other rules keep their meaning").Mend("remove the rule"))
		default:
			notes = append(notes, unknownRule(target.rule(i, "kind"), rule.Kind))
		}
	}
	return matches, notes
}

func unknownRule(at model.Ref, kind string) model.Diagnostic {
	mend := "name an HTTPRouteGroup or a TCPRoute"
	if near := meant(kind); near != "" {
		mend = fmt.Sprintf("did you mean %s?", near)
	}
	return model.Note(model.UnknownRule, at, fmt.Sprintf("the rule is of kind %q", kind)).
		Did("it counts and admits nothing, and never lifts a restriction").Mend(mend)
}

// matchesOfRule are the matches of one rule: those that it names, or all of the group when it names none (SMI A6).
func matchesOfRule(target *TrafficTarget, i int, routes []namedRoute) ([]model.Match, []model.Diagnostic) {
	rule, group := target.Spec.Rules[i], routes[i].group
	if group == nil {
		return nil, []model.Diagnostic{routes[i].missingGroup(objectName{target.Namespace, rule.Name}, target.rule(i, "name"))}
	}
	if len(rule.Matches) == 0 {
		return group.all, nil
	}
	var matches []model.Match
	var notes []model.Diagnostic
	for j, name := range rule.Matches {
		named, ok := group.byName[name]
		if !ok {
			notes = append(notes, unknownMatch(target.rule(i, fmt.Sprintf("matches[%d]", j)), rule.Name, name, group.names))
		}
		matches = append(matches, named...)
	}
	return matches, notes
}

func unknownMatch(at model.Ref, route, name string, names []string) model.Diagnostic {
	otherwise := "the matches that it has are " + strings.Join(names, ", ")
	if len(names) == 0 {
		otherwise = "no match of it has a name"
	}
	if name == "*" {
		otherwise = "names are never wildcards: leave matches out to take the whole group"
	}
	return model.Note(model.UnknownMatch, at, fmt.Sprintf("%s has no match %q", route, name)).
		Did("it admits nothing").Mend(didYouMean(name, names, otherwise))
}

// portsOf are the ports that a target's TCPRoutes admit.
func portsOf(target *TrafficTarget, routes []namedRoute) (model.PortSet, []model.Diagnostic) {
	var sets []model.PortSet
	var notes []model.Diagnostic
	for i, rule := range target.Spec.Rules {
		if rule.Kind != tcpKind {
			continue
		}
		switch route := routes[i].port; {
		case route == nil:
			notes = append(notes, routes[i].missingPort(objectName{target.Namespace, rule.Name}, target.rule(i, "name")))
		case !route.named(rule.Matches):
			notes = append(notes, unknownMatch(target.rule(i, "matches[0]"), rule.Name, rule.Matches[0], []string{route.object.Spec.Matches.Name}))
		default:
			sets = append(sets, route.ports)
		}
	}
	return union(sets), notes
}
