package files

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkYAML reads 10,000 objects as a repository of manifests has them.
func BenchmarkYAML(b *testing.B) {
	var text strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&text, yamlObjects, i)
	}
	measure(b, "objects.yaml", []byte(text.String()), 10_000)
}

// BenchmarkJSON reads a dump of 30,000 pods.
func BenchmarkJSON(b *testing.B) {
	measure(b, "pods.json", podDump(30_000, jsonPod), 30_000)
}

// BenchmarkUnknownField reads a dump of 30,000 pods by a cluster that knows a field that we do not.
func BenchmarkUnknownField(b *testing.B) {
	measure(b, "pods.json", podDump(30_000, strings.Replace(jsonPod, `"dnsPolicy"`, `"dnsPolicyNew"`, 1)), 30_000)
}

func measure(b *testing.B, name string, data []byte, objects int) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if n := len(ReadBytes(name, data).Positions.places); n != objects {
			b.Fatalf("read %d objects, not %d", n, objects)
		}
	}
	b.ReportMetric(float64(objects)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

func podDump(pods int, pod string) []byte {
	var text bytes.Buffer
	text.WriteString("{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n")
	for i := range pods {
		if i > 0 {
			text.WriteString(",\n")
		}
		fmt.Fprintf(&text, pod, i)
	}
	text.WriteString("\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\"resourceVersion\": \"\"}\n}\n")
	return text.Bytes()
}

const yamlObjects = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: app-%[1]d
  namespace: shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-%[1]d
  namespace: shop
  labels:
    app.kubernetes.io/name: app-%[1]d
    app.kubernetes.io/part-of: shop
spec:
  replicas: 3
  selector:
    matchLabels:
      app: app-%[1]d
  template:
    metadata:
      labels:
        app: app-%[1]d
    spec:
      serviceAccountName: app-%[1]d
      containers:
        - name: app
          image: registry.example.com/shop/app:1.2.%[1]d
          command: ["/bin/app", "--listen", ":8080"] # no shell
          env:
            - name: LOG_LEVEL
              value: "debug"
            - name: PORT
              value: "8080"
          ports:
            - name: http
              containerPort: 8080
          resources:
            requests: {cpu: 100m, memory: 64Mi}
            limits: {cpu: "1", memory: 256Mi}
          readinessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 5
---
apiVersion: v1
kind: Service
metadata:
  name: app-%[1]d
  namespace: shop
spec:
  selector:
    app: app-%[1]d
  ports:
    - name: http
      port: 80
      targetPort: http
      appProtocol: http
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata:
  name: app-%[1]d
  namespace: shop
spec:
  destination: {kind: ServiceAccount, name: app-%[1]d, namespace: shop}
  rules:
    - kind: HTTPRouteGroup
      name: app-%[1]d
      matches: [read, write]
  sources:
    - {kind: ServiceAccount, name: client, namespace: shop}
---
`
