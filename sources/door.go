package sources

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// portFindings are about a target's ports, seen from the pods that it protects: those that admit more than a reader
// may think, and those that admit nothing because they are a Service's and not a pod's.
func portFindings(target *TrafficTarget, granted grant, routes []namedRoute, members []model.Member) []model.Diagnostic {
	notes := wholePorts(target, granted, members)
	if target.Port != nil {
		if port, ok := portNumber(*target.Port); ok {
			notes = append(notes, servicePort(target, target.at("destination.port"), port, members)...)
		}
	}
	for i := range target.Spec.Rules {
		route := routes[i].port
		if route == nil {
			continue
		}
		for i, number := range route.object.Spec.Matches.Ports {
			if port, ok := portNumber(number); ok {
				notes = append(notes, servicePort(target, route.object.port(i), port, members)...)
			}
		}
	}
	return notes
}

// wholePorts warns of ports that speak HTTP and are admitted without a look at the requests.
func wholePorts(target *TrafficTarget, granted grant, members []model.Member) []model.Diagnostic {
	var ports []uint16
	for _, member := range members {
		if member.Protocol.IsHTTP() && granted.tcp.Contains(member.Target) {
			ports = append(ports, member.Target)
		}
	}
	if len(ports) == 0 {
		return nil
	}
	return []model.Diagnostic{
		model.Note(model.WholePortAdmitted, target.rules(), fmt.Sprintf("the rules name no HTTPRouteGroup, and %s HTTP", speaks(ports))).
			Did("every request there is admitted").
			Mend("add an HTTPRouteGroup to the rules to restrict the requests"),
	}
}

// servicePort warns of a number that is the port of a Service, and that no pod of the destination listens on.
func servicePort(target *TrafficTarget, at model.Ref, port uint16, members []model.Member) []model.Diagnostic {
	var instead []uint16
	for _, member := range members {
		if member.Target == port {
			return nil
		}
		if member.ServicePort.Port == port {
			instead = append(instead, member.Target)
		}
	}
	if len(instead) == 0 {
		return nil
	}
	return []model.Diagnostic{
		model.Note(model.ServicePortInRoute, at, fmt.Sprintf("%d is the port of a Service; the pods of ServiceAccount %s do not listen on it",
			port, target.Spec.Destination.Name)).
			Did("the number admits nothing there").
			Mend("write the pod port, " + numbers(instead)),
	}
}

// closedDoors warns of ports that do not speak HTTP and stay closed for clients that have HTTP rules only. A second
// TrafficTarget that opens the port to them ends the warning. The two lists go together; a target can have no permission.
func closedDoors(targets []*TrafficTarget, permissions []*model.Permission, members *memberIndex) []model.Diagnostic {
	open := openDoors(permissions)
	var notes []model.Diagnostic
	for i, permission := range permissions {
		if permission == nil {
			continue
		}
		var closed []uint16
		for _, member := range members.of[permission.Destination] {
			if !member.Protocol.IsHTTP() && permission.HTTP.Ports.Contains(member.Target) && !open.toAll(permission, member.Target) {
				closed = append(closed, member.Target)
			}
		}
		if len(closed) > 0 {
			notes = append(notes, closedDoor(targets[i], closed))
		}
	}
	return notes
}

func closedDoor(target *TrafficTarget, ports []uint16) model.Diagnostic {
	return model.Note(model.TCPDoorUntouched, target.rules(), fmt.Sprintf("the rules are for HTTP, and %s something else", speaks(ports))).
		Did("these clients are refused there").
		Mend("add a TrafficTarget with a TCPRoute alone for the same clients, or set appProtocol if the port is HTTP")
}

// doors are the ports that do not speak HTTP which are open from a client to a server.
type doors map[passage][]model.PortSet

type passage struct{ from, to model.Identity }

func openDoors(permissions []*model.Permission) doors {
	open := doors{}
	for _, permission := range permissions {
		if permission == nil || permission.TCP.IsZero() {
			continue
		}
		for source := range permission.Sources.Values() {
			key := passage{source, permission.Destination}
			open[key] = append(open[key], permission.TCP)
		}
	}
	return open
}

// toAll says whether a port is open to every client of a permission.
func (d doors) toAll(permission *model.Permission, port uint16) bool {
	for source := range permission.Sources.Values() {
		sets := d[passage{source, permission.Destination}]
		if !slices.ContainsFunc(sets, func(set model.PortSet) bool { return set.Contains(port) }) {
			return false
		}
	}
	return true
}

// speaks is "port 80 speaks" or "ports 80, 81 speak".
func speaks(ports []uint16) string {
	if text := numbers(ports); strings.Contains(text, ",") {
		return "ports " + text + " speak"
	}
	return "port " + numbers(ports) + " speaks"
}

// numbers are ports for a message, in order and without repetition.
func numbers(ports []uint16) string {
	var texts []string
	for port := range portSet(ports).Ports.Values() {
		texts = append(texts, strconv.Itoa(int(port)))
	}
	return strings.Join(texts, ", ")
}
