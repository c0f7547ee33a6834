package sources

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/model"
)

func TestProxies(t *testing.T) {
	for name, row := range map[string]struct {
		manifests []string
		want      string
		findings  []string
	}{
		"real":              {manifests: []string{realPod("a", "10.0.0.1", injected)}, want: "[10.0.0.1] metrics false assumed false"},
		"two families":      {manifests: []string{strings.Replace(realPod("a", "'2001:db8::1'", injected), "phase", "podIPs: [{ip: '2001:db8::1'}, {ip: 10.0.0.1}], phase", 1)}, want: "[10.0.0.1 2001:db8::1] metrics false assumed false"},
		"scraped":           {manifests: []string{strings.Replace(realPod("a", "10.0.0.1", injected), "metadata: {", "metadata: {annotations: {prometheus.io/scrape: 'true'}, ", 1)}, want: "[10.0.0.1] metrics true assumed false"},
		"finished":          {manifests: []string{strings.Replace(realPod("a", "10.0.0.1", injected), "Running", "Succeeded", 1)}},
		"not placed yet":    {manifests: []string{strings.Replace(realPod("a", "''", injected), "name: a,", "name: a, uid: '1',", 1)}},
		"a bad address":     {manifests: []string{realPod("a", "127.0.0.1", injected)}, findings: []string{"FSM1206 Pod shop/a status.podIP"}},
		"in another place":  {manifests: []string{strings.Replace(realPod("a", "10.0.0.1", injected), "namespace: shop", "namespace: abroad", 1)}, findings: []string{"FSM1101 Namespace abroad"}},
		"without":           {manifests: []string{realPod("a", "10.0.0.1", notInjected)}, findings: []string{"FSM1104 Pod shop/a"}},
		"a foreign address": {manifests: []string{realPod("a", "10.0.0.1", injected), realPod("b", "10.0.0.1", notInjected)}, want: "[10.0.0.1] metrics false assumed false", findings: []string{"FSM1109 Pod shop/a status.podIP", "FSM1104 Pod shop/b"}},
		"a finished one's":  {manifests: []string{realPod("a", "10.0.0.1", injected), strings.Replace(realPod("b", "10.0.0.1", notInjected), "Running", "Failed", 1)}, want: "[10.0.0.1] metrics false assumed false"},
		"a bad annotation is not looked at any more": {
			manifests: []string{strings.Replace(realPod("a", "10.0.0.1", injected), "metadata: {", "metadata: {annotations: {flomesh.io/sidecar-injection: maybe}, ", 1)},
			want:      "[10.0.0.1] metrics false assumed false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			topology, diagnostics := freshTopology(read(t, append(row.manifests, meshNamespace)...), model.Settings{})
			var got string
			for _, p := range topology.proxies {
				var addresses []string
				for a := range p.Addresses.Values() {
					addresses = append(addresses, a.String())
				}
				got += fmt.Sprintf("%v metrics %v assumed %v", addresses, p.Metrics, p.Assumed)
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			wantFindings(t, diagnostics, row.findings...)
		})
	}
}

func TestFaultsOfAWorkloadAreToldOnce(t *testing.T) {
	web := func(more string) string {
		return strings.NewReplacer("kube-system", "shop", "template: {metadata: {", "template: {metadata: {"+more).
			Replace(manifest("Deployment", "web", "replicas: 3, "+matching))
	}
	scraped := strings.Replace(meshNamespace, "enabled", "enabled, flomesh.io/metrics: 'yes'", 1)
	for name, row := range map[string]struct {
		deployment string
		proxies    int
		findings   []string
	}{
		"injected": {web(""), 3, nil},
		"invalid": {
			web("annotations: {flomesh.io/sidecar-injection: maybe}, "), 0,
			[]string{"FSM1103 Deployment shop/web spec.template.metadata.annotations[flomesh.io/sidecar-injection]"},
		},
		"off": {web("annotations: {openservicemesh.io/sidecar-injection: 'no'}, "), 0, []string{"FSM1104 Deployment shop/web"}},
		"an account that nobody made": {
			strings.Replace(web(""), "template: {", "template: {spec: {serviceAccountName: x}, ", 1), 3,
			[]string{"FSM1107 Deployment shop/web spec.template.spec.serviceAccountName"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			completed, _ := Complete(read(t, scraped, row.deployment))
			topology, diagnostics := freshTopology(completed, model.Settings{})
			for _, p := range topology.proxies {
				if !p.Metrics || p.Workload != (model.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}) {
					t.Errorf("got proxy %+v", p)
				}
			}
			if len(topology.proxies) != row.proxies {
				t.Errorf("got %d proxies", len(topology.proxies))
			}
			wantFindings(t, diagnostics, row.findings...)
		})
	}
}

func TestAccountsThatAreKnown(t *testing.T) {
	objects := read(t, meshNamespace, strings.Replace(manifest("Deployment", "web", matching), "kube-system", "shop", 1),
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: known, namespace: shop}")
	objects.Broken = []model.Ref{{Kind: "ServiceAccount", Namespace: "shop", Name: "broken"}}
	for account, want := range map[string]bool{"": true, "default": true, "known": true, "broken": true, "unknown": false} {
		objects.Deployments[0].Spec.Template.Spec.ServiceAccountName = account
		completed, _ := Complete(objects)
		if _, diagnostics := freshTopology(completed, model.Settings{}); (len(diagnostics) == 0) != want {
			t.Errorf("%q: got %v", account, diagnostics)
		}
	}
}
