package sources

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

const meshNamespace = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {flomesh.io/monitored-by: fsm}, annotations: {flomesh.io/sidecar-injection: enabled}}
`

// realPod is a pod that runs with a sidecar, or without.
func realPod(name, address, more string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: shop, labels: {app: web%[2]s}}
spec: {serviceAccountName: %[1]s, containers: [{name: app, ports: [{name: http, containerPort: 8080}]}]}
status: {podIP: %[3]s, phase: Running}
`, name, more, address)
}

const (
	injected    = ", fsm-proxy-uuid: x"
	notInjected = ""
)

func slice(family, endpoints string) string {
	return fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-%s, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: %[1]s
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints: %[2]s
`, family, endpoints)
}

const selectorless = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80, targetPort: 8080}]}
`

func TestUsableEndpoints(t *testing.T) {
	at := func(address string, ready, draining bool) endpoint {
		return endpoint{address: netip.MustParseAddrPort(address), ready: ready, draining: draining}
	}
	const a, b, six = "10.0.0.1:80", "10.0.0.2:80", "[2001:db8::1]:80"
	for name, row := range map[string]struct {
		endpoints []endpoint
		want      []string
	}{
		"none":                               {},
		"ready ones, by address":             {[]endpoint{at(b, true, false), at(six, true, false), at(a, true, false)}, []string{a, b, six}},
		"not ready":                          {[]endpoint{at(a, false, false), at(b, true, false)}, []string{b}},
		"draining beside a ready one":        {[]endpoint{at(a, false, true), at(b, true, false)}, []string{b}},
		"draining when none is ready":        {[]endpoint{at(a, false, true), at(b, false, false)}, []string{a}},
		"each family for itself":             {[]endpoint{at(a, false, true), at(six, true, false)}, []string{a, six}},
		"ready and draining is ready":        {[]endpoint{at(a, true, true), at(b, true, false)}, []string{a, b}},
		"an address in two slices, once":     {[]endpoint{at(a, true, false), at(a, true, false)}, []string{a}},
		"an address, ready in one slice":     {[]endpoint{at(a, false, false), at(a, true, false)}, []string{a}},
		"an address, draining in one, ready": {[]endpoint{at(a, false, true), at(a, true, false)}, []string{a}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range usable(row.endpoints) {
				got = append(got, e.address.String())
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	older := func(subsets string) string {
		return "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: shop}\nsubsets: " + subsets
	}
	for name, row := range map[string]struct {
		manifests []string
		want      []string
		findings  []string
	}{
		"outside the cluster": {
			manifests: []string{slice("IPv4", "[{addresses: [192.0.2.1]}]")},
			want:      []string{"web:80 192.0.2.1:8080"},
			findings:  []string{"FSM1205 Service shop/web spec.ports[0]"},
		},
		"by targetRef": {
			manifests: []string{realPod("a", "10.0.0.1", injected), slice("IPv4", "[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: a}}]")},
			want:      []string{"web:80 10.0.0.1:8080 a sidecar"},
		},
		"by targetRef to a second network": {
			manifests: []string{realPod("a", "10.0.0.1", injected), slice("IPv4", "[{addresses: [192.0.2.7], targetRef: {kind: Pod, namespace: shop, name: a}}]")},
			want:      []string{"web:80 192.0.2.7:8080 a sidecar"},
		},
		"by targetRef to a pod that is elsewhere": {
			manifests: []string{
				realPod("a", "10.0.0.1", injected), realPod("b", "10.0.0.2", injected),
				slice("IPv4", "[{addresses: [10.0.0.2], targetRef: {kind: Pod, name: a}}]"),
			},
			want: []string{"web:80 10.0.0.2:8080 b sidecar"},
		},
		"by targetRef to a pod that is gone": {
			manifests: []string{realPod("a", "10.0.0.1", injected), slice("IPv4", "[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: gone}}]")},
			want:      []string{"web:80 10.0.0.1:8080 a sidecar"},
		},
		"by address": {
			manifests: []string{realPod("a", "10.0.0.1", injected), slice("IPv4", "[{addresses: [10.0.0.1]}]")},
			want:      []string{"web:80 10.0.0.1:8080 a sidecar"},
		},
		"by address, of a pod without a sidecar": {
			manifests: []string{realPod("a", "10.0.0.1", notInjected), slice("IPv4", "[{addresses: [10.0.0.1]}]")},
			want:      []string{"web:80 10.0.0.1:8080 a"},
			findings:  []string{"FSM1104 Pod shop/a", "FSM1205 Service shop/web spec.ports[0]"},
		},
		"by address that two pods have": {
			manifests: []string{
				realPod("a", "10.0.0.1", notInjected), realPod("b", "10.0.0.1", notInjected), slice("IPv4", "[{addresses: [10.0.0.1]}]"),
			},
			want:     []string{"web:80 10.0.0.1:8080"},
			findings: []string{"FSM1104 Pod shop/a", "FSM1104 Pod shop/b", "FSM1207 Service shop/web spec.ports[0]"},
		},
		"no plaintext to an address that a sidecar shares": {
			manifests: []string{
				realPod("a", "10.0.0.1", notInjected), realPod("b", "10.0.0.1", injected),
				slice("IPv4", "[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: a}}]"),
			},
			want:     []string{},
			findings: []string{"FSM1104 Pod shop/a", "FSM1109 Pod shop/b status.podIP"},
		},
		"two slices that name two pods": {
			manifests: []string{
				realPod("a", "10.0.0.1", injected), realPod("b", "10.0.0.1", injected),
				slice("IPv4", "[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: a}}]"),
				strings.Replace(slice("IPv4", "[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: b}}]"), "web-IPv4", "web-more", 1),
			},
			want:     []string{},
			findings: []string{"FSM1109 Pod shop/a status.podIP", "FSM1207 Service shop/web spec.ports[0]"},
		},
		"conditions": {
			manifests: []string{slice("IPv4", `[
				{addresses: [192.0.2.1], conditions: {ready: true}}, {addresses: [192.0.2.2], conditions: {ready: false}},
				{addresses: [192.0.2.3], conditions: {}}, {addresses: [192.0.2.4], conditions: {ready: false, serving: true, terminating: true}},
				{addresses: []}]`)},
			want:     []string{"web:80 192.0.2.1:8080", "web:80 192.0.2.3:8080"},
			findings: []string{"FSM1205 Service shop/web spec.ports[0]"},
		},
		"terminating, and nothing else": {
			manifests: []string{slice("IPv4", `[
				{addresses: [192.0.2.1], conditions: {ready: false, terminating: true}},
				{addresses: [192.0.2.2], conditions: {ready: false, serving: false, terminating: true}}]`)},
			want:     []string{"web:80 192.0.2.1:8080"},
			findings: []string{"FSM1205 Service shop/web spec.ports[0]"},
		},
		"addresses that are none": {
			manifests: []string{
				slice("IPv4", "[{addresses: [nonsense]}, {addresses: ['2001:db8::1']}, {addresses: [127.0.0.1]}]"),
				slice("FQDN", "[{addresses: [example.com]}]"),
			},
			want: []string{},
			findings: []string{
				"FSM1206 EndpointSlice shop/web-FQDN addressType", "FSM1206 EndpointSlice shop/web-IPv4 endpoints[0].addresses[0]",
				"FSM1206 EndpointSlice shop/web-IPv4 endpoints[1].addresses[0]", "FSM1206 EndpointSlice shop/web-IPv4 endpoints[2].addresses[0]",
			},
		},
		"ports that are none of ours": {
			manifests: []string{strings.Replace(slice("IPv4", "[{addresses: [192.0.2.1]}]"), "{name: http, port: 8080, protocol: TCP}",
				"{name: other, port: 1}, {name: http, port: 2, protocol: UDP}, {name: http}, {name: http, port: 70000}", 1)},
			want:     []string{},
			findings: []string{"FSM1201 EndpointSlice shop/web-IPv4 endpoints[0]"},
		},
		"older Endpoints": {
			manifests: []string{older("[{ports: [{name: http, port: 8080}, {name: http, port: 53, protocol: UDP}], addresses: [{ip: 192.0.2.1}, {ip: no}], notReadyAddresses: [{ip: 192.0.2.2}]}]")},
			want:      []string{"web:80 192.0.2.1:8080"},
			findings:  []string{"FSM1206 Endpoints shop/web subsets[0].addresses[1].ip", "FSM1205 Service shop/web spec.ports[0]"},
		},
		"older Endpoints beside a slice": {
			manifests: []string{older("[{ports: [{name: http, port: 8080}], addresses: [{ip: 192.0.2.1}]}]"), slice("IPv4", "[]")},
			want:      []string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			topology, diagnostics := freshTopology(read(t, append(row.manifests, meshNamespace, selectorless)...), model.Settings{})
			if diff := cmp.Diff(row.want, endpointTexts(topology)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			wantFindings(t, diagnostics, row.findings...)
		})
	}
}

func TestPublishNotReadyAddresses(t *testing.T) {
	pod := strings.Replace(realPod("a", "10.0.0.1", injected), "phase: Running", "phase: Running, conditions: [{type: Ready, status: 'False'}]", 1)
	service := strings.Replace(selectorless, "spec: {", "spec: {publishNotReadyAddresses: true, selector: {app: web}, ", 1)
	for name, row := range map[string]struct{ manifests, want []string }{
		"assumed": {[]string{pod, service}, []string{"web:80 10.0.0.1:8080 a sidecar"}},
		"assumed, while it terminates": {
			[]string{strings.Replace(pod, "namespace: shop", "namespace: shop, deletionTimestamp: '2026-01-01T00:00:00Z'", 1), service},
			[]string{"web:80 10.0.0.1:8080 a sidecar"},
		},
		"written":               {[]string{pod, service, slice("IPv4", "[{addresses: [10.0.0.1], conditions: {ready: false}}]")}, []string{"web:80 10.0.0.1:8080 a sidecar"}},
		"not asked for":         {[]string{pod, strings.Replace(service, "publishNotReadyAddresses: true, ", "", 1)}, []string{}},
		"not ready and no door": {[]string{pod, selectorless}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			completed, _ := Complete(read(t, append(row.manifests, meshNamespace)...))
			topology, _ := freshTopology(completed, model.Settings{})
			if diff := cmp.Diff(row.want, endpointTexts(topology)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnmeshedEndpointsAreListedOnce(t *testing.T) {
	manifests := []string{meshNamespace, selectorless, slice("IPv4",
		"[{addresses: [192.0.2.1]}, {addresses: [192.0.2.2]}, {addresses: [192.0.2.3]}, {addresses: [192.0.2.4]}]")}
	for permissive, did := range map[bool]string{false: "left out in SMI mode", true: "called in plaintext in permissive mode"} {
		_, diagnostics := freshTopology(read(t, manifests...), model.Settings{Permissive: permissive})
		want := []model.Diagnostic{model.Note(model.UnmeshedEndpoint, model.Ref{Kind: "Service", Namespace: "shop", Name: "web", Field: "spec.ports[0]"},
			"port 80 of service shop/web has 4 endpoints without a sidecar: 192.0.2.1:8080, 192.0.2.2:8080, 192.0.2.3:8080 and 1 more").Did(did)}
		if diff := cmp.Diff(want, diagnostics); diff != "" {
			t.Errorf("permissive %v (-want +got):\n%s", permissive, diff)
		}
	}
}

func TestHostsOfAHeadlessService(t *testing.T) {
	headless := strings.Replace(selectorless, "10.96.0.1", "None", 1)
	topology, diagnostics := freshTopology(read(t, meshNamespace, headless, slice("IPv4", `[
		{addresses: [192.0.2.1], hostname: a, zone: z1}, {addresses: [192.0.2.2], hostname: b, conditions: {ready: false}},
		{addresses: [192.0.2.3], hostname: "*"}, {addresses: [192.0.2.4]}]`)), model.Settings{})
	want := []string{
		"web:80 192.0.2.1:8080", "web:80 192.0.2.3:8080", "web:80 192.0.2.4:8080", "a.web:80 192.0.2.1:8080",
	}
	if diff := cmp.Diff(want, endpointTexts(topology)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b, ok := topology.service(model.ServiceID{Namespace: "shop", Name: "b.web"})
	if !ok || b.Parent.Name != "web" || b.Ports.Len() != 1 {
		t.Errorf("the host that is not ready is %+v", b)
	}
	if a, _ := topology.service(model.ServiceID{Namespace: "shop", Name: "a.web"}); a.Ports.At(0).Endpoints.At(0).Zone != "z1" {
		t.Errorf("the zone is %q", a.Ports.At(0).Endpoints.At(0).Zone)
	}
	wantFindings(t, diagnostics, "FSM1206 EndpointSlice shop/web-IPv4 endpoints[2].hostname", "FSM1205 Service shop/web spec.ports[0]")
}
