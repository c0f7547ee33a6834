package sources

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/model"
)

// shopTopology is a mesh for policies to speak of: namespaces shop and back, and in shop
//
//	server   HTTP on pod port 8080 (Service web, port 80) and TCP on 3306 (Service db, port 3306)
//	web      HTTP on pod port 8080 (Service web, port 80)
//	idle     no service
func shopTopology() topology {
	web := member("web", 80, 8080, model.HTTP)
	db := member("db", 3306, 3306, model.TCP)
	t := topology{
		namespaces: map[string]bool{"shop": true, "back": true},
		identities: map[model.Identity]bool{},
		membersOf: map[model.Identity][]model.Member{
			{Namespace: "shop", ServiceAccount: "server"}: {db, web},
			{Namespace: "shop", ServiceAccount: "web"}:    {web},
		},
		serviceByID: map[model.ServiceID]*model.Service{},
	}
	for _, account := range []string{"server", "web", "idle"} {
		identity := model.Identity{Namespace: "shop", ServiceAccount: account}
		t.identities[identity] = true
		t.proxies = append(t.proxies, &model.Proxy{Identity: identity})
	}
	return t
}

func member(service string, port, target uint16, protocol model.Protocol) model.Member {
	return model.Member{
		ServicePort: model.ServicePort{Service: model.ServiceID{Namespace: "shop", Name: service}, Port: port},
		Target:      target,
		Protocol:    protocol,
	}
}

// noted are diagnostics as a test writes them: the code's number, whose and which field it is about.
func noted(diagnostics []model.Diagnostic) []string {
	var lines []string
	for _, d := range model.SortDiagnostics(diagnostics) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", d.Code, d.At.Name, d.At.Field)))
	}
	slices.Sort(lines)
	return lines
}

// complete checks that every diagnostic says where, what was done instead, and how to mend it.
func complete(t *testing.T, diagnostics []model.Diagnostic) {
	t.Helper()
	for _, d := range diagnostics {
		placed := d.At != model.Ref{} || d.Code == model.NoMeshConfig
		if d.Message == "" || d.Fix == "" || !placed || d.Code.Page().Title == "" {
			t.Errorf("incomplete: %+v", d)
		}
		if d.Instead == "" && d.Code != model.TargetsIgnored {
			t.Errorf("it is not said what was done instead: %+v", d)
		}
		if strings.HasSuffix(d.Message, ".") || strings.Contains(d.Message, "%!") || strings.Contains(d.Fix, "%!") || strings.Contains(d.Instead, "%!") {
			t.Errorf("badly written: %+v", d)
		}
	}
}

func spelled(p *model.Permission) string {
	var sources []string
	for s := range p.Sources.Values() {
		sources = append(sources, s.String())
	}
	text := fmt.Sprintf("%s → %s", strings.Join(sources, ","), p.Destination)
	if !p.HTTP.Ports.IsZero() {
		text += fmt.Sprintf(" http %s %s", writtenPorts(p.HTTP.Ports), writtenRequests(p.HTTP.Requests))
	}
	if !p.TCP.IsZero() {
		text += " tcp " + writtenPorts(p.TCP)
	}
	return text
}

func writtenPorts(set model.PortSet) string {
	if set.All {
		return "all"
	}
	return numbers(slices.Collect(set.Ports.Values()))
}

func writtenRequests(r model.Requests) string {
	if r.All {
		return "[all]"
	}
	var matches []string
	for m := range r.Matches.Values() {
		matches = append(matches, writtenMatch(m))
	}
	return "[" + strings.Join(matches, " | ") + "]"
}

func writtenMatch(m model.Match) string {
	methods := "*"
	if !m.AnyMethod {
		methods = strings.Join(slices.Collect(m.Methods.Values()), ",")
	}
	text := methods + " " + m.Path
	for h := range m.Headers.Values() {
		text += fmt.Sprintf(" %s=%s", h.Name, h.Value)
	}
	return text
}

// indented puts a text under a key of a manifest.
func indented(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}
