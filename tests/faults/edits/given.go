package edits

import (
	"fmt"

	"github.com/flomesh-io/fsmc/tests/shapes"
)

// givenNamespace is where the pods are whose addresses and endpoints are given, as a cluster gives them.
const givenNamespace = "given"

const (
	givenMesh = `apiVersion: v1
kind: Namespace
metadata: {name: given, labels: {flomesh.io/monitored-by: fsm}, annotations: {flomesh.io/sidecar-injection: enabled}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: server, namespace: given}
---
apiVersion: v1
kind: Service
metadata: {name: server, namespace: given}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: server, namespace: given}
spec:
  destination: {kind: ServiceAccount, name: server, namespace: given}
  sources: [{kind: ServiceAccount, name: %s, namespace: %s}]
  rules: [{kind: HTTPRouteGroup, name: all}]
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: all, namespace: given}
spec: {matches: [{name: all, pathRegex: /.*, methods: ["*"]}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: server, namespace: given, labels: {kubernetes.io/service-name: server}}
addressType: IPv4
ports: [{name: "", port: 8080, protocol: TCP}]
endpoints:
`
	givenEndpoint = "  - {addresses: [10.244.1.%d], conditions: {ready: %t}, targetRef: {kind: Pod, namespace: given, name: pod-%d}}\n"
	givenPod      = `---
apiVersion: v1
kind: Pod
metadata: {name: pod-%[1]d, namespace: given, labels: {app: server, fsm-proxy-uuid: 3f83e301-5d26-4ef3-a609-789a82e9d74%[1]d}}
spec:
  serviceAccountName: server
  initContainers: [{name: envoy, image: none, restartPolicy: Always}]
  containers: [{name: app, image: none, ports: [{containerPort: 8080}]}]
status: {phase: Running, podIP: 10.244.1.%[1]d, podIPs: [{ip: 10.244.1.%[1]d}], conditions: [{type: Ready, status: "%[2]s"}]}
`
)

// given are two pods, of which some are ready, and a client of theirs.
func given(client shapes.App, ready [2]bool) []byte {
	text := fmt.Sprintf(givenMesh, client.Name, client.Namespace)
	for i, r := range ready {
		text += fmt.Sprintf(givenEndpoint, i, r, i)
	}
	for i, r := range ready {
		text += fmt.Sprintf(givenPod, i, map[bool]string{true: "True", false: "False"}[r])
	}
	return []byte(text)
}
