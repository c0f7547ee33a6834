package sources

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// text is a topology as its mesh is written.
func text(t *testing.T, topology topology) string {
	t.Helper()
	bytes, err := json.MarshalIndent(model.New(model.Parts{
		Services: model.ListOf(topology.services...), Proxies: model.ListOf(topology.proxies...),
	}), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}

// endpointTexts are the endpoints of all services, as <service>:<port> <address> <pod> <sidecar>.
func endpointTexts(topology topology) []string {
	texts := []string{}
	for _, s := range topology.services {
		for p := range s.Ports.Values() {
			for e := range p.Endpoints.Values() {
				text := fmt.Sprintf("%s:%d %s", s.ID.Name, p.Number, e.Address)
				if e.Proxy.Name != "" {
					text += " " + e.Proxy.Name
				}
				if e.Sidecar {
					text += " sidecar"
				}
				texts = append(texts, text)
			}
		}
	}
	return texts
}

func memberTexts(members []model.Member) []string {
	texts := []string{}
	for _, m := range members {
		text := fmt.Sprintf("%s:%d->%d %s", m.ServicePort.Service.Name, m.ServicePort.Port, m.Target, m.Protocol)
		if m.Headless {
			text += " headless"
		}
		texts = append(texts, text)
	}
	return texts
}

func TestTopology(t *testing.T) {
	completed, _ := Complete(read(t, shop))
	topology, _ := freshTopology(completed, model.Settings{})

	var names []string
	for _, s := range topology.services {
		names = append(names, s.ID.String())
	}
	if diff := cmp.Diff([]string{
		"other/lone", "shop/db", "shop/db-3.db", "shop/db-4.db", "shop/elsewhere", "shop/web",
	}, names); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	host, ok := topology.service(model.ServiceID{Namespace: "shop", Name: "db-3.db"})
	if !ok || host.Parent.Name != "db" || !host.Headless || host.Ports.At(0).Endpoints.Len() != 1 {
		t.Errorf("got host %+v", host)
	}
	if s, _ := topology.service(model.ServiceID{Namespace: "shop", Name: "elsewhere"}); s.ExternalName != "example.com" || s.Ports.Len() != 0 {
		t.Errorf("got alias %+v", s)
	}
	if diff := cmp.Diff([]string{"db:3306->3306 tcp headless"}, memberTexts(topology.members(model.Identity{Namespace: "shop", ServiceAccount: "db"}))); diff != "" {
		t.Errorf("members of db (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"web:80->8080 http", "web:80->9090 http"}, memberTexts(topology.members(model.Identity{Namespace: "shop", ServiceAccount: "default"}))); diff != "" {
		t.Errorf("members of default (-want +got):\n%s", diff)
	}
	for _, p := range topology.proxies {
		if !p.Assumed || (p.Workload.Kind == "") != (p.ID.Name == "bare") || p.From.Kind == "Pod" != (p.ID.Name == "bare") {
			t.Errorf("got proxy %s assumed %v of %s, from %s", p.ID, p.Assumed, p.Workload, p.From)
		}
	}
}

func TestIdentitiesAreOfWorkloadsAsWell(t *testing.T) {
	topology, _ := freshTopology(read(t, `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {flomesh.io/monitored-by: fsm}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: resting, namespace: shop}
spec: {replicas: 0, template: {spec: {serviceAccountName: resting}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: foreign, namespace: outside}
spec: {template: {spec: {serviceAccountName: foreign}}}
---
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: shop}
spec: {serviceAccount: older}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: shop}
spec: {serviceAccountName: done}
status: {phase: Failed, podIP: 10.0.0.1}
`), model.Settings{})
	for identity, want := range map[string]bool{
		"shop/resting": true, "shop/older": true, "shop/default": false, "shop/done": false, "outside/foreign": false,
	} {
		namespace, account, _ := strings.Cut(identity, "/")
		if got := topology.hasIdentity(model.Identity{Namespace: namespace, ServiceAccount: account}); got != want {
			t.Errorf("%s: got %v", identity, got)
		}
	}
}
