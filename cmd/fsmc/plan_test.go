package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/sinks/local"
)

const localMesh = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {flomesh.io/monitored-by: fsm}, annotations: {flomesh.io/sidecar-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: outside}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web, fsm-proxy-uuid: 2b1fd3b4-6c5f-4b0e-9a53-7d1f0c3a1e11}}
spec:
  serviceAccountName: seller
  containers:
    - name: app
      ports: [{name: http, containerPort: 8080}, {containerPort: 53, protocol: UDP}, {containerPort: 15000}]
      env: [{name: COLOUR, value: red}, {name: ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: SECRET, valueFrom: {secretKeyRef: {name: a, key: b}}}]
status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "2001:db8::1"}], conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.1.0.1, selector: {app: web}, ports: [{name: a, port: 80, targetPort: http}, {name: grpc, port: 81, targetPort: 8081}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: outside, labels: {app: db}}
spec: {hostname: db-0, subdomain: db, containers: [{name: app}]}
status: {podIP: 10.0.0.2, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: outside}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: tcp, port: 3306}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shares-an-address, namespace: outside}
spec: {containers: [{name: app}]}
status: {podIP: 10.0.0.2}
---
apiVersion: v1
kind: Pod
metadata: {name: has-ended, namespace: outside}
spec: {containers: [{name: app}]}
status: {podIP: 10.0.0.3, phase: Succeeded}
---
apiVersion: v1
kind: Pod
metadata: {name: is-not-ready, namespace: outside, labels: {app: late}}
spec: {containers: [{name: app}]}
status: {podIP: 10.0.0.4, conditions: [{type: Ready, status: "False"}]}
---
apiVersion: v1
kind: Service
metadata: {name: late, namespace: outside}
spec: {clusterIP: 10.1.0.2, selector: {app: late}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: outside}
spec: {type: ExternalName, externalName: example.com}
`

func TestPlan(t *testing.T) {
	plan, leftOut := planOf(compiled(t, localMesh))
	var got []string
	say := func(format string, values ...any) { got = append(got, fmt.Sprintf(format, values...)) }
	for _, p := range plan.Pods {
		say("pod %s of %s as %s at %v, sidecar %v, ports %v, %q", p, p.Workload, p.Identity, p.Addresses, p.Sidecar, p.Ports, p.Environment)
	}
	for _, v := range plan.Addresses {
		say("address %s leads to %v", v.Address, v.Endpoints)
	}
	for _, n := range plan.Names {
		say("name %s is %v", n.Name, n.Addresses)
	}
	want := []string{
		`pod outside/db-0 of db-0 as outside/default at [10.0.0.2], sidecar false, ports [{3306 tcp}], []`,
		`pod outside/is-not-ready of is-not-ready as outside/default at [10.0.0.4], sidecar false, ports [], []`,
		`pod shop/web of web as shop/seller at [10.0.0.1 2001:db8::1], sidecar true, ports [{8080 http} {8081 grpc}], ["COLOUR=red" "ME=web"]`,
		`address 10.1.0.1:80 leads to [10.0.0.1:8080]`,
		`address 10.1.0.1:81 leads to [10.0.0.1:8081]`,
		`address 10.1.0.2:80 leads to []`,
		`name db-0.db.outside.svc.cluster.local is [10.0.0.2]`,
		`name db.outside.svc.cluster.local is [10.0.0.2]`,
		`name late.outside.svc.cluster.local is [10.1.0.2]`,
		`name web.shop.svc.cluster.local is [10.1.0.1]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"outside/shares-an-address"}, leftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	if origin := plan.Pods[2].Origin; !strings.HasPrefix(origin, "Pod shop/web, ") || !strings.HasSuffix(origin, "mesh.yaml:10") {
		t.Errorf("its origin is %q", origin)
	}
}

func TestCommandsOfAPlan(t *testing.T) {
	plan := local.Plan{Pods: []local.Pod{
		{Namespace: "shop", Name: "web-0", Workload: "web", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}},
		{Namespace: "shop", Name: "web-1", Workload: "web"},
		{Namespace: "other", Name: "web-0", Workload: "web"},
	}}
	for _, c := range []struct {
		name     string
		commands []string
		want     []string
		err      string
	}{
		{"a workload", []string{"shop/web=run --a=b c"}, []string{"run --a=b c", "run --a=b c", ""}, ""},
		{"a pod", []string{"shop/web-1=run"}, []string{"", "run", ""}, ""},
		{"two", []string{"shop/web=one", "other/web=two"}, []string{"one", "one", "two"}, ""},
		{"nobody", []string{"shop/wep=run"}, nil, `there is no workload "shop/wep"; did you mean "shop/web"?`},
		{"no namespace", []string{"web=run"}, nil, "--exec takes NAMESPACE/WORKLOAD=COMMAND"},
		{"no command", []string{"shop/web"}, nil, "--exec takes NAMESPACE/WORKLOAD=COMMAND"},
	} {
		t.Run(c.name, func(t *testing.T) {
			with, err := withCommands(plan, c.commands)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range with.Pods {
				line := ""
				if len(p.Command) > 0 {
					line = p.Command[len(p.Command)-1]
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(plan.Pods[0].Command) > 0 {
				t.Error("the plan that was given has changed")
			}
		})
	}
}

// compiled compiles a text.
func compiled(t *testing.T, text string) compilation {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mesh.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := world{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }, now: time.Now}
	c, err := (&input{failOn: &choice{value: "never"}}).compile(t.Context(), []string{file}, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
