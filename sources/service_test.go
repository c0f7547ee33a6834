package sources

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// serviceOf is a service with a selector and these ports.
func serviceOf(name, ports string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: shop}\nspec: {clusterIP: 10.96.0.%d, selector: {app: web}, ports: %s}\n",
		name, len(name), ports)
}

func TestPortsOfAService(t *testing.T) {
	for name, row := range map[string]struct {
		ports    string
		want     []string
		findings []string
	}{
		"numbers":                    {ports: "[{port: 80, targetPort: 8080}]", want: []string{"web:80->8080 http"}},
		"the target port is the own": {ports: "[{port: 8080}]", want: []string{"web:8080->8080 http"}},
		"a name":                     {ports: "[{port: 80, targetPort: http}]", want: []string{"web:80->8080 http"}},
		"an empty name":              {ports: "[{port: 80, targetPort: ''}]", want: []string{"web:80->80 http"}},
		"the port of a native sidecar": {
			ports: "[{port: 80, targetPort: native}]", want: []string{"web:80->9100 http"},
		},
		"the port of an init container": {
			ports: "[{port: 80, targetPort: init}]", want: []string{}, findings: []string{"FSM1211 Service shop/web spec.ports[0].targetPort"},
		},
		"a name that is UDP at the pod": {
			ports: "[{port: 80, targetPort: dns}]", want: []string{}, findings: []string{"FSM1211 Service shop/web spec.ports[0].targetPort"},
		},
		"not TCP": {
			ports: "[{name: a, port: 53, protocol: UDP}, {name: b, port: 53}, {name: c, port: 54, protocol: SCTP}]",
			want:  []string{"web:53->53 http"}, findings: []string{"FSM1209 Service shop/web spec.ports"},
		},
		"out of range": {
			ports: "[{name: a, port: 0}, {name: b, port: 70000}, {name: c, port: 1, targetPort: 65536}, {name: d, port: 65535}]",
			want:  []string{"web:65535->65535 http"},
			findings: []string{
				"FSM1201 Service shop/web spec.ports[0].port", "FSM1201 Service shop/web spec.ports[1].port",
				"FSM1201 Service shop/web spec.ports[2].targetPort",
			},
		},
		"twice": {
			ports:    "[{name: a, port: 80}, {name: b, port: 80}, {name: a, port: 81}]",
			want:     []string{"web:80->80 http"},
			findings: []string{"FSM1201 Service shop/web spec.ports[1].port", "FSM1201 Service shop/web spec.ports[2].name"},
		},
		"none": {ports: "[]", want: []string{}, findings: []string{"FSM1201 Service shop/web spec"}},
		"the sidecar's": {
			ports: "[{name: a, port: 15000}, {name: b, port: 80, targetPort: 15904}, {name: c, port: 15003, targetPort: 8080}, {name: d, port: 81, targetPort: 14999}]",
			want:  []string{"web:15003->8080 http", "web:81->14999 http"},
			findings: []string{
				"FSM1202 Service shop/web spec.ports[0].targetPort", "FSM1202 Service shop/web spec.ports[1].targetPort",
			},
		},
		"the sidecar's, by name": {
			ports: "[{port: 80, targetPort: admin}]", want: []string{}, findings: []string{"FSM1202 Service shop/web spec.ports[0].targetPort"},
		},
		"by protocols": {
			ports: "[{name: tcp-a, port: 1}, {name: b, port: 2, appProtocol: Mongo}]", want: []string{"web:1->1 tcp", "web:2->2 tcp"},
			findings: []string{"FSM1203 Service shop/web spec.ports[1].appProtocol"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := strings.Replace(realPod("a", "10.0.0.1", injected), "containers:", `initContainers: [
				{name: init, ports: [{name: init, containerPort: 1}]},
				{name: native, restartPolicy: Always, ports: [{name: native, containerPort: 9100}, {name: admin, containerPort: 15000}]},
				{name: bad, restartPolicy: Always, ports: [{name: dns, containerPort: 53, protocol: UDP}]}], containers:`, 1)
			topology, diagnostics := freshTopology(read(t, meshNamespace, pod, serviceOf("web", row.ports)), model.Settings{})
			got := memberTexts(topology.members(model.Identity{Namespace: "shop", ServiceAccount: "a"}))
			wantSet, gotSet := map[string]bool{}, map[string]bool{}
			for _, w := range row.want {
				wantSet[w] = true
			}
			for _, g := range got {
				gotSet[g] = true
			}
			if diff := cmp.Diff(wantSet, gotSet); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			wantFindings(t, diagnostics, row.findings...)
		})
	}
}

func TestAnEndpointAtASidecarPortClosesThePort(t *testing.T) {
	manifests := []string{meshNamespace, selectorless, strings.Replace(slice("IPv4", "[{addresses: [10.0.0.1]}]"), "8080", "15000", 1), realPod("a", "10.0.0.1", injected)}
	topology, diagnostics := freshTopology(read(t, manifests...), model.Settings{})
	s, _ := topology.service(model.ServiceID{Namespace: "shop", Name: "web"})
	if s.Ports.Len() != 0 {
		t.Errorf("got ports %v", s.Ports)
	}
	wantFindings(t, diagnostics, "FSM1202 Service shop/web spec.ports[0].targetPort")
}

func TestClusterIPs(t *testing.T) {
	service := `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 'fd00::1', clusterIPs: ['fd00::1', 10.96.0.1, nonsense], ports: [{port: 80}]}
`
	topology, diagnostics := freshTopology(read(t, meshNamespace, service), model.Settings{})
	s, _ := topology.service(model.ServiceID{Namespace: "shop", Name: "web"})
	if got := fmt.Sprint(s.Addresses.At(0), s.Addresses.At(1), s.Addresses.Len(), s.Headless); got != "10.96.0.1 fd00::1 2 false" {
		t.Errorf("got %s", got)
	}
	wantFindings(t, diagnostics, "FSM1206 Service shop/web spec.clusterIP")
}

func TestOnlySelectorsMakeMembers(t *testing.T) {
	topology, _ := freshTopology(read(t, meshNamespace, realPod("a", "10.0.0.1", injected),
		serviceOf("web", "[{port: 80, targetPort: 8080}]"),
		strings.Replace(serviceOf("both", "[{port: 81, targetPort: 8080}]"), "{app: web}", "{app: web, fsm-proxy-uuid: x}", 1),
		strings.Replace(serviceOf("more", "[{port: 82, targetPort: 8080}]"), "{app: web}", "{app: web, tier: x}", 1),
		strings.Replace(serviceOf("other", "[{port: 83, targetPort: 8080}]"), "{app: web}", "{app: other}", 1),
		strings.Replace(serviceOf("empty", "[{port: 84, targetPort: 8080}]"), "{app: web}", "{}", 1),
		strings.Replace(serviceOf("alias", "[{port: 85, targetPort: 8080}]"), "spec: {clusterIP: 10.96.0.5,", "spec: {type: ExternalName, externalName: a.b,", 1),
		strings.Replace(serviceOf("abroad", "[{port: 86, targetPort: 8080}]"), "namespace: shop", "namespace: abroad", 1),
		strings.Replace(slice("IPv4", "[{addresses: [10.0.0.1]}]"), "service-name: web", "service-name: empty", 1),
	), model.Settings{})
	want := []string{"both:81->8080 http", "web:80->8080 http"}
	if diff := cmp.Diff(want, memberTexts(topology.members(model.Identity{Namespace: "shop", ServiceAccount: "a"}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProtocolConflict(t *testing.T) {
	raw := "[{name: tcp, port: 90, targetPort: 8080}, {name: tcp-alone, port: 91, targetPort: 9000}]"
	endpoints := func(service string) string {
		return strings.NewReplacer("web", service, "{name: http, port: 8080, protocol: TCP}", "{name: tcp, port: 8080}, {name: http, port: 8080}, {name: tcp-alone, port: 9000}").
			Replace(slice("IPv4", "[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: a}}, {addresses: [10.0.0.2], targetRef: {kind: Pod, name: b}}]"))
	}
	manifests := []string{
		meshNamespace, realPod("a", "10.0.0.1", injected), realPod("b", "10.0.0.2", injected+", http: 'no'"),
		serviceOf("raw", raw), endpoints("raw"), endpoints("web"),
		strings.Replace(serviceOf("web", "[{name: http, port: 80, targetPort: http}, {name: grpc, port: 81, targetPort: http}]"), "{app: web}", "{app: web, only: a}", 1),
	}
	manifests[1] = strings.Replace(manifests[1], "app: web", "app: web, only: a", 1)
	topology, diagnostics := freshTopology(read(t, manifests...), model.Settings{})

	wantFindings(t, diagnostics, "FSM1204 Service shop/raw spec.ports[0]")
	for account, want := range map[string][]string{
		"a": {"web:80->8080 http", "web:81->8080 grpc", "raw:91->9000 tcp"},
		"b": {"raw:90->8080 tcp", "raw:91->9000 tcp"},
	} {
		if diff := cmp.Diff(want, memberTexts(topology.members(model.Identity{Namespace: "shop", ServiceAccount: account}))); diff != "" {
			t.Errorf("members of %s (-want +got):\n%s", account, diff)
		}
	}
	if diff := cmp.Diff([]string{
		"raw:90 10.0.0.2:8080 b sidecar", "raw:91 10.0.0.1:9000 a sidecar", "raw:91 10.0.0.2:9000 b sidecar",
		"web:80 10.0.0.1:8080 a sidecar", "web:80 10.0.0.2:8080 b sidecar",
	}, endpointTexts(topology)); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
}
