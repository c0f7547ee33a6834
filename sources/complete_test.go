package sources

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// shop is a bit of everything that a repository of manifests has.
const shop = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {flomesh.io/monitored-by: fsm}, annotations: {flomesh.io/sidecar-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {team: a}}
    spec: {containers: [{name: app, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 2
  serviceName: db
  ordinals: {start: 3}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {serviceAccountName: db, containers: [{name: app}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, ports: [{name: http, containerPort: 9090}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: tcp, port: 3306}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: shop}
spec: {type: ExternalName, externalName: example.com}
---
apiVersion: v1
kind: Service
metadata: {name: lone, namespace: other}
spec: {selector: {app: none}, ports: [{port: 80}]}
`

func TestCompleteAddsWhatIsLacking(t *testing.T) {
	completed, diagnostics := Complete(read(t, shop))

	wantFindings(t, diagnostics, "FSM1105  ", "FSM1102 Namespace other")
	got := map[string]string{}
	for _, p := range completed.Pods {
		if p.Status.PodIP == "" || p.Status.Phase != corev1.PodRunning || !isReady(p) {
			t.Errorf("%s has status %v", p.Name, p.Status)
		}
		got[p.Name] = fmt.Sprintf("%s %s %s %s.%s", p.Annotations[AssumedAnnotation], controllerOf(p), p.Spec.ServiceAccountName, p.Spec.Hostname, p.Spec.Subdomain)
	}
	want := map[string]string{
		"bare":  "address    .",
		"db-3":  "pod StatefulSet shop/db db db-3.db",
		"db-4":  "pod StatefulSet shop/db db db-4.db",
		"web-0": "pod Deployment shop/web default .",
		"web-1": "pod Deployment shop/web default .",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pods (-want +got):\n%s", diff)
	}
	var slices []string
	for _, s := range completed.EndpointSlices {
		for _, e := range s.Endpoints {
			slices = append(slices, fmt.Sprintf("%s %s %s:%d host %q", s.Labels["kubernetes.io/service-name"], s.AddressType, e.TargetRef.Name, *s.Ports[0].Port, value(e.Hostname)))
		}
	}
	if diff := cmp.Diff([]string{
		`db IPv4 db-3:3306 host "db-3"`, `db IPv4 db-4:3306 host "db-4"`,
		`web IPv4 web-0:8080 host ""`, `web IPv4 web-1:8080 host ""`, `web IPv4 bare:9090 host ""`,
	}, slices); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	ips := map[string]bool{}
	for _, s := range completed.Services {
		ips[s.Name+" "+s.Annotations[AssumedAnnotation]] = s.Spec.ClusterIP != "" && s.Spec.ClusterIP != "None"
	}
	if diff := cmp.Diff(map[string]bool{"web clusterIP": true, "db ": false, "elsewhere ": false, "lone clusterIP": true}, ips); diff != "" {
		t.Errorf("cluster IPs (-want +got):\n%s", diff)
	}
}

func TestCompleteTwiceAddsNothing(t *testing.T) {
	once, _ := Complete(read(t, shop))
	twice, diagnostics := Complete(once)
	if diff := cmp.Diff(once, twice); diff != "" {
		t.Errorf("(-once +twice):\n%s", diff)
	}
	wantFindings(t, diagnostics)
}

func TestCompleteDoesNotWriteIntoItsInput(t *testing.T) {
	objects, untouched := read(t, shop), read(t, shop)
	Complete(objects)
	if diff := cmp.Diff(untouched, objects); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestOrderDoesNotShow(t *testing.T) {
	sort := func(o Objects) Objects {
		o.Pods, o.Services, o.EndpointSlices = inOrder(o.Pods), inOrder(o.Services), inOrder(o.EndpointSlices)
		o.Namespaces, o.Deployments, o.StatefulSets = inOrder(o.Namespaces), inOrder(o.Deployments), inOrder(o.StatefulSets)
		return o
	}
	objects := read(t, shop)
	want, wantDiagnostics := Complete(objects)
	wantTopology, wantFindings := freshTopology(want, model.Settings{})
	for range 20 {
		shuffle(objects.Pods)
		shuffle(objects.Services)
		shuffle(objects.Deployments)
		shuffle(objects.StatefulSets)
		got, gotDiagnostics := Complete(objects)
		if diff := cmp.Diff(sort(want), sort(got)); diff != "" {
			t.Fatalf("objects (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantDiagnostics, gotDiagnostics); diff != "" {
			t.Fatalf("diagnostics (-want +got):\n%s", diff)
		}
		shuffle(got.Pods)
		shuffle(got.EndpointSlices)
		gotTopology, gotFindings := freshTopology(got, model.Settings{})
		if diff := cmp.Diff(text(t, wantTopology), text(t, gotTopology)); diff != "" {
			t.Fatalf("topology (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(codesAndPlaces(wantFindings), codesAndPlaces(gotFindings)); diff != "" {
			t.Fatalf("findings (-want +got):\n%s", diff)
		}
	}
}

func shuffle[T any](items []T) {
	rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}

func TestAssumedNamespaces(t *testing.T) {
	account := func(namespace string) *corev1.ServiceAccount {
		return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "a"}}
	}
	objects := Objects{
		MeshName:        "mine",
		ServiceAccounts: []*corev1.ServiceAccount{account("used"), account("kube-system"), account("unreadable"), account("written")},
		Namespaces:      []*corev1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "written"}}},
		Broken:          []model.Ref{{Kind: "Namespace", Name: "unreadable"}},
	}
	completed, diagnostics := Complete(objects)
	wantFindings(t, diagnostics, "FSM1102 Namespace used")
	got := map[string]string{}
	for _, n := range completed.Namespaces {
		got[n.Name] = n.Annotations[AssumedAnnotation] + " " + n.Labels[MonitoredByLabel] + " " + n.Annotations[InjectionAnnotation]
	}
	want := map[string]string{"used": "namespace mine enabled", "kube-system": "namespace  ", "written": "  "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatAClusterMadeStaysAsItIs(t *testing.T) {
	for name, manifests := range map[string]string{
		"a workload with a uid": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: kube-system, uid: "1"}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
`,
		"a pod that waits for a node": `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: kube-system, uid: "1"}
status: {phase: Pending}
`,
		"a pod that has finished": `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: kube-system}
status: {phase: Succeeded}
`,
		"endpoints that were written": `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: kube-system}
spec: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: kube-system}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: kube-system, labels: {app: web}}
status: {podIP: 10.0.0.1}
`,
	} {
		t.Run(name, func(t *testing.T) {
			objects := read(t, manifests)
			completed, diagnostics := Complete(objects)
			completed.Namespaces = nil
			if diff := cmp.Diff(objects, completed); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			wantFindings(t, diagnostics)
		})
	}
}

func TestEndpointsThatCouldNotBeReadAreNotAssumed(t *testing.T) {
	for _, broken := range []model.Ref{
		{Kind: "Endpoints", Namespace: "shop", Name: "web"}, {Kind: "EndpointSlice", Namespace: "shop", Name: "web-x7f2k"},
	} {
		objects := read(t, shop)
		objects.Broken = []model.Ref{broken}
		completed, _ := Complete(objects)
		for _, s := range completed.EndpointSlices {
			if s.Labels["kubernetes.io/service-name"] == "web" {
				t.Errorf("%s is broken, and %s was assumed", broken, s.Name)
			}
		}
	}
}

func TestDualStack(t *testing.T) {
	completed, _ := Complete(read(t, shop, `
apiVersion: v1
kind: Service
metadata: {name: both, namespace: shop}
spec: {ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6], selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`))
	var types []string
	for _, s := range completed.EndpointSlices {
		if s.Labels["kubernetes.io/service-name"] == "both" {
			types = append(types, string(s.AddressType))
		}
	}
	slices.Sort(types)
	if diff := cmp.Diff([]string{"IPv4", "IPv4", "IPv6", "IPv6"}, types); diff != "" {
		t.Errorf("slices (-want +got):\n%s", diff)
	}
	topology, diagnostics := freshTopology(completed, model.Settings{})
	wantFindings(t, diagnostics, "FSM1210 Service shop/elsewhere spec.externalName",
		"FSM1107 StatefulSet shop/db spec.template.spec.serviceAccountName")
	s, _ := topology.service(model.ServiceID{Namespace: "shop", Name: "both"})
	if s.Addresses.Len() != 2 || !s.Addresses.At(0).Is4() || !s.Addresses.At(1).Is6() || s.Ports.At(0).Endpoints.Len() != 6 {
		t.Errorf("got addresses %v and endpoints %v", s.Addresses, s.Ports.At(0).Endpoints)
	}
}
