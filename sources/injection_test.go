package sources

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDecideInjection(t *testing.T) {
	real := corev1.PodStatus{PodIP: "10.0.0.1"}
	labelled := metav1.ObjectMeta{Labels: map[string]string{ProxyUUIDLabel: "1"}}
	for name, row := range map[string]struct {
		pod       corev1.Pod
		own       choice
		namespace namespace
		want      bool
		silent    bool
	}{
		"nobody says":                  {},
		"namespace on":                 {namespace: namespace{injection: on}, want: true},
		"namespace off":                {namespace: namespace{injection: off}},
		"pod on":                       {own: on, want: true},
		"pod on beats namespace off":   {own: on, namespace: namespace{injection: off}, want: true},
		"pod off beats namespace on":   {own: off, namespace: namespace{injection: on}},
		"pod invalid":                  {own: invalidChoice, namespace: namespace{injection: on}, silent: true},
		"namespace invalid":            {own: on, namespace: namespace{injection: invalidChoice}, silent: true},
		"namespace ignored":            {own: on, namespace: namespace{injection: on, ignored: true}},
		"host network":                 {pod: corev1.Pod{Spec: corev1.PodSpec{HostNetwork: true}}, own: on},
		"host network, with a sidecar": {pod: corev1.Pod{ObjectMeta: labelled, Status: real, Spec: corev1.PodSpec{HostNetwork: true}}},
		"real, label":                  {pod: corev1.Pod{ObjectMeta: labelled, Status: real}, own: off, want: true},
		"real, older label": {pod: corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{ProxyUUIDAliasLabel: "1"}}, Status: real}, want: true},
		"real, container": {pod: corev1.Pod{
			Status: real, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: "envoy"}}}}, want: true},
		"real, native sidecar": {pod: corev1.Pod{
			Status: real, Spec: corev1.PodSpec{InitContainers: []corev1.Container{{Name: "envoy"}}}}, want: true},
		"real, without":        {pod: corev1.Pod{Status: real}, own: on, namespace: namespace{injection: on}},
		"real, not yet placed": {pod: corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "1"}}, own: on},
		"assumed address": {pod: corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{AssumedAnnotation: "address"}}, Status: real}, own: on, want: true},
		"a claim to be assumed is not believed of what a cluster made": {pod: corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{UID: "1", Annotations: map[string]string{AssumedAnnotation: "pod"}}, Status: real}, own: on},
	} {
		t.Run(name, func(t *testing.T) {
			got := decideInjection(&row.pod, row.own, row.namespace)
			if got.sidecar != row.want {
				t.Errorf("got %v, want %v", got.sidecar, row.want)
			}
			if explained := got.why != "" && got.fix != ""; explained == (row.want || row.silent) {
				t.Errorf("got reason %q and fix %q", got.why, got.fix)
			}
		})
	}
}

func TestParseChoice(t *testing.T) {
	for value, want := range map[string]choice{
		"enabled": on, "YES": on, "True": on,
		"disabled": off, "no": off, "FALSE": off,
		"": invalidChoice, "maybe": invalidChoice, "1": invalidChoice, " yes": invalidChoice,
	} {
		if got := parseChoice(value); got != want {
			t.Errorf("%q: got %d, want %d", value, got, want)
		}
	}
}
