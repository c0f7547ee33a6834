package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flomesh-io/fsmc/model"
)

// calls shows who may call whom. It reads the permissions of the mesh, which are the whole policy, and asks the proxies
// which services stand behind an identity; what a permission means is said in the model alone.
func (v view) calls(b *strings.Builder) {
	if v.Mesh.Settings().Permissive {
		v.section(b, "WHO MAY CALL WHOM", "permissive mode: every proxy may make every call")
		v.everyService(b)
		return
	}
	v.section(b, "WHO MAY CALL WHOM", "what is not listed is refused")
	identities, members := v.identities()
	for _, client := range identities {
		v.callsOf(b, client, members)
	}
}

// identities are those of the proxies, in order, with the service ports that proxies of each serve.
func (v view) identities() ([]model.Identity, map[model.Identity][]model.Member) {
	members := map[model.Identity][]model.Member{}
	for proxy := range v.Mesh.Proxies() {
		members[proxy.Identity] = slices.AppendSeq(members[proxy.Identity], proxy.Members.Values())
	}
	identities := make([]model.Identity, 0, len(members))
	for identity, all := range members {
		identities = append(identities, identity)
		slices.SortFunc(all, model.Member.Compare)
		members[identity] = slices.Compact(all)
	}
	slices.SortFunc(identities, model.Identity.Compare)
	return identities, members
}

// callsOf shows what one client may call.
func (v view) callsOf(b *strings.Builder, client model.Identity, members map[model.Identity][]model.Member) {
	var lines strings.Builder
	for permission := range v.Mesh.PermissionsFrom(client) {
		requests, connections := admitted(permission, members[permission.Destination])
		if len(requests)+len(connections) == 0 {
			continue
		}
		fmt.Fprintf(&lines, "    → %s  %s\n", v.style.bold(oneLine(permission.Destination.String())), v.style.dim("by TrafficTarget "+oneLine(permission.String())))
		v.doors(&lines, requests)
		v.requests(&lines, requests, permission.HTTP.Requests)
		v.doors(&lines, connections)
		if len(connections) > 0 {
			lines.WriteString("        every connection\n")
		}
	}
	if lines.Len() == 0 {
		fmt.Fprintf(b, "  %s %s\n", v.style.bold(oneLine(client.String())), v.style.dim("may call nobody"))
		return
	}
	fmt.Fprintf(b, "  %s\n%s", v.style.bold(oneLine(client.String())), lines.String())
}

// admitted are the service ports at which a permission admits requests, and those at which it admits connections.
func admitted(p *model.Permission, members []model.Member) (requests, connections []model.Member) {
	for _, m := range members {
		switch {
		case !m.Protocol.IsHTTP():
			if p.TCP.Contains(m.Target) {
				connections = append(connections, m)
			}
		case p.HTTP.Ports.Contains(m.Target) && !p.HTTP.Requests.IsZero():
			requests = append(requests, m)
		}
	}
	return requests, connections
}

func (v view) doors(b *strings.Builder, members []model.Member) {
	if len(members) == 0 {
		return
	}
	for i, line := range wrap(strings.Join(doorNames(members), ", "), width-9) {
		label := "at "
		if i > 0 {
			label = "   "
		}
		b.WriteString("      " + v.style.dim(label) + oneLine(line) + "\n")
	}
}

// requests shows the requests that are admitted at some doors, in columns of method, path and headers.
func (v view) requests(b *strings.Builder, doors []model.Member, requests model.Requests) {
	if len(doors) == 0 {
		return
	}
	if requests.All {
		b.WriteString("        every request\n")
		return
	}
	methods, paths := 0, 0
	for m := range requests.Matches.Values() {
		methods = max(methods, utf8.RuneCountInString(methodsOf(m)))
		paths = max(paths, utf8.RuneCountInString(m.Path))
	}
	for m := range requests.Matches.Values() {
		v.request(b, m, methods, min(paths, 40))
	}
}

// request shows one match. Headers that do not fit into the line go below.
func (v view) request(b *strings.Builder, m model.Match, methods, paths int) {
	line := "        " + pad(methodsOf(m), methods) + "  " + pad(oneLine(m.Path), paths)
	headers := headersOf(m)
	if all := strings.Join(headers, " · "); utf8.RuneCountInString(line+"  "+all) <= width {
		b.WriteString(strings.TrimRight(line+"  "+v.style.dim(all), " ") + "\n")
		return
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	for _, header := range headers {
		b.WriteString(strings.Repeat(" ", 10+methods) + v.style.dim(header) + "\n")
	}
}

func methodsOf(m model.Match) string {
	if m.AnyMethod {
		return "any method"
	}
	return strings.Join(slices.Collect(m.Methods.Values()), "|")
}

func headersOf(m model.Match) []string {
	var headers []string
	for h := range m.Headers.Values() {
		headers = append(headers, oneLine(h.Name+": "+h.Value))
	}
	return headers
}

// everyService shows the services and ports that there are.
func (v view) everyService(b *strings.Builder) {
	rows := [][]string{{"SERVICE", "PROTOCOL", "ENDPOINTS"}}
	for service := range v.Mesh.Services() {
		for port := range service.Ports.Values() {
			name := model.ServicePort{Service: service.ID, Port: port.Number}.String()
			rows = append(rows, []string{name, string(port.Protocol), endpointsOf(port)})
		}
	}
	v.table(b, rows, 2)
}

// endpointsOf says who answers at a port, and with how many endpoints if it is more than one.
func endpointsOf(port model.Port) string {
	counts := map[string]int{}
	var names []string
	for e := range port.Endpoints.Values() {
		name := "without a sidecar"
		if e.Sidecar {
			name = e.Identity.String()
		}
		if counts[name] == 0 {
			names = append(names, name)
		}
		counts[name]++
	}
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	for i, name := range names {
		if counts[name] > 1 {
			names[i] = fmt.Sprintf("%s ×%d", name, counts[name])
		}
	}
	return strings.Join(names, ", ")
}
