package sources

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

func TestNamespacesOfTheMesh(t *testing.T) {
	const older = "openservicemesh.io/monitored-by"
	for name, row := range map[string]struct {
		namespace string
		mesh      string
		labels    map[string]string
		want      bool
		findings  []string
	}{
		"no label":                         {},
		"label":                            {labels: map[string]string{MonitoredByLabel: "fsm"}, want: true},
		"another mesh":                     {labels: map[string]string{MonitoredByLabel: "other"}},
		"asked for another mesh":           {mesh: "other", labels: map[string]string{MonitoredByLabel: "other"}, want: true},
		"older spelling":                   {labels: map[string]string{older: "fsm"}, want: true},
		"older spelling and name":          {labels: map[string]string{older: "osm"}, want: true},
		"older name of another mesh":       {mesh: "other", labels: map[string]string{older: "osm"}},
		"older name in the newer spelling": {labels: map[string]string{MonitoredByLabel: "osm"}},
		"both":                             {labels: map[string]string{MonitoredByLabel: "fsm", older: "osm"}, want: true},
		"both, and they disagree": {
			labels: map[string]string{MonitoredByLabel: "fsm", older: "other"}, want: true,
			findings: []string{"FSM1108 Namespace n metadata.labels"},
		},
		"both, and the older would be in": {
			labels:   map[string]string{MonitoredByLabel: "other", older: "fsm"},
			findings: []string{"FSM1108 Namespace n metadata.labels"},
		},
		"ignored":           {labels: map[string]string{MonitoredByLabel: "fsm", IgnoreLabel: ""}, want: true},
		"kube-system":       {namespace: "kube-system", labels: map[string]string{MonitoredByLabel: "fsm"}},
		"kube-public":       {namespace: "kube-public", labels: map[string]string{MonitoredByLabel: "fsm"}},
		"the control plane": {namespace: "fsm-system", labels: map[string]string{MonitoredByLabel: "fsm"}},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := row.namespace
			if namespace == "" {
				namespace = "n"
			}
			found, diagnostics := freshNamespaces(Objects{MeshName: row.mesh, Namespaces: []*corev1.Namespace{
				{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: row.labels}},
			}})
			if got := found.has(namespace); got != row.want || found.meshed()[namespace] != got {
				t.Errorf("got %v, want %v", got, row.want)
			}
			wantFindings(t, diagnostics, row.findings...)
		})
	}
}

func TestOnlyNamespacesThatHoldSomethingAreOutside(t *testing.T) {
	service := func(namespace string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "s"}}
	}
	objects := Objects{
		Namespaces: []*corev1.Namespace{
			{ObjectMeta: metav1.ObjectMeta{Name: "empty"}}, {ObjectMeta: metav1.ObjectMeta{Name: "full"}},
		},
		ServiceAccounts: []*corev1.ServiceAccount{{ObjectMeta: metav1.ObjectMeta{Namespace: "empty", Name: "a"}}},
		Services:        []*corev1.Service{service("full"), service("missing"), service("broken")},
		Broken:          []model.Ref{{Kind: "Namespace", Name: "broken"}},
	}
	_, diagnostics := freshNamespaces(objects)
	wantFindings(t, diagnostics, "FSM1101 Namespace broken", "FSM1101 Namespace full", "FSM1101 Namespace missing")
	for i, why := range []string{"could not be read", "has no label", "no such Namespace"} {
		if got := model.SortDiagnostics(diagnostics)[i].Message; !strings.Contains(got, why) {
			t.Errorf("got %q, want it to say %q", got, why)
		}
	}
}

func TestAnnotationsOfANamespace(t *testing.T) {
	for name, row := range map[string]struct {
		annotations map[string]string
		metrics     bool
		findings    []string
	}{
		"none":            {},
		"metrics":         {annotations: map[string]string{MetricsAnnotation: "yes"}, metrics: true},
		"metrics, older":  {annotations: map[string]string{alias(MetricsAnnotation): "Enabled"}, metrics: true},
		"metrics, off":    {annotations: map[string]string{MetricsAnnotation: "no"}},
		"metrics, unsure": {annotations: map[string]string{MetricsAnnotation: "so-so"}, findings: []string{"FSM3003 Namespace n metadata.annotations[flomesh.io/metrics]"}},
		"injection, unsure": {
			annotations: map[string]string{alias(InjectionAnnotation): "so-so"},
			findings:    []string{"FSM1103 Namespace n metadata.annotations[openservicemesh.io/sidecar-injection]"},
		},
		"injection, two spellings of one meaning": {annotations: map[string]string{InjectionAnnotation: "true", alias(InjectionAnnotation): "yes"}},
		"injection, two meanings": {
			annotations: map[string]string{InjectionAnnotation: "true", alias(InjectionAnnotation): "no"},
			findings:    []string{"FSM1108 Namespace n metadata.annotations"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ns, diagnostics := resolveNamespace(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
				Name: "n", Labels: map[string]string{MonitoredByLabel: "fsm"}, Annotations: row.annotations,
			}}, "fsm")
			if ns.metrics != row.metrics {
				t.Errorf("metrics: got %v", ns.metrics)
			}
			wantFindings(t, diagnostics, row.findings...)
		})
	}
}
