package sources

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// decideInjection says whether a pod of a mesh namespace has our sidecar, or would get it.
//
// A pod that runs is what it is: the injector's label or a container named envoy shows it. For one that no cluster has
// made yet, the pod's annotation decides, then the namespace's. A pod of the host network never gets a sidecar, as
// interception would be that of the whole host.
func decideInjection(o *corev1.Pod, pod choice, ns namespace) verdict {
	switchedOn := InjectionAnnotation + ": enabled"
	switch {
	case o.Spec.HostNetwork:
		return verdict{why: "it uses the network of its host", fix: "give it a network of its own, or move it out of the mesh"}
	case isReal(o) && hasSidecar(o):
		return verdict{sidecar: true}
	case isReal(o):
		return verdict{why: "it was started without one", fix: "restart it with injection on"}
	case ns.ignored:
		return verdict{why: "its namespace has the label " + IgnoreLabel, fix: "remove the label"}
	case pod == invalidChoice || ns.injection == invalidChoice:
		return verdict{}
	case pod == off:
		return verdict{why: "its own annotation switches injection off", fix: "annotate it with " + switchedOn}
	case pod == on || ns.injection == on:
		return verdict{sidecar: true}
	case ns.injection == off:
		return verdict{why: "its namespace's annotation switches injection off", fix: "annotate it or the namespace with " + switchedOn}
	default:
		return verdict{why: "nothing switches injection on", fix: "annotate it or its namespace with " + switchedOn}
	}
}

// verdict is whether a pod has a sidecar; if not, why, and what would give it one. There is no reason to give when an
// annotation could not be read, which is told by itself.
type verdict struct {
	sidecar  bool
	why, fix string
}

// choice is what an annotation with a switch says.
type choice int

const (
	unset choice = iota
	on
	off
	invalidChoice
)

func parseChoice(value string) choice {
	switch strings.ToLower(value) {
	case "enabled", "yes", "true":
		return on
	case "disabled", "no", "false":
		return off
	default:
		return invalidChoice
	}
}

// injectionChoice reads the injection annotation of a pod or namespace; at is the place of the annotations.
func injectionChoice(annotations map[string]string, at model.Ref) (choice, []model.Diagnostic) {
	return readChoice(annotations, InjectionAnnotation, model.Note(model.InvalidInjection, at, "").Did("taken as having no sidecar"))
}

// metricsChoice reads the metrics annotation of a namespace.
func metricsChoice(annotations map[string]string, at model.Ref) (choice, []model.Diagnostic) {
	return readChoice(annotations, MetricsAnnotation, model.Note(model.InvalidSetting, at, "").Did("metrics are off"))
}

// readChoice reads an annotation with a switch; invalid is what to say of another value.
func readChoice(annotations map[string]string, key string, invalid model.Diagnostic) (choice, []model.Diagnostic) {
	value, ok := metadata(annotations, key)
	if !ok {
		return unset, nil
	}
	chosen := parseChoice(value)
	var diagnostics []model.Diagnostic
	if older, both := annotations[alias(key)]; both && parseChoice(older) != chosen {
		diagnostics = mixedSpelling(annotations, key, invalid.At)
	}
	if chosen == invalidChoice {
		invalid.Message = fmt.Sprintf("%q is not a value of %s", value, key)
		invalid.At = annotationAt(invalid.At, annotations, key)
		diagnostics = append(diagnostics, invalid.Mend("write enabled or disabled"))
	}
	return chosen, diagnostics
}

// annotationAt is the place of an annotation, in the spelling that counts.
func annotationAt(at model.Ref, annotations map[string]string, key string) model.Ref {
	if _, ok := annotations[key]; !ok {
		key = alias(key)
	}
	return at.At(fmt.Sprintf("%s[%s]", at.Field, key))
}

// hasSidecar says whether a pod that runs was injected.
func hasSidecar(o *corev1.Pod) bool {
	isEnvoy := func(c corev1.Container) bool { return c.Name == "envoy" }
	return o.Labels[ProxyUUIDLabel] != "" || o.Labels[ProxyUUIDAliasLabel] != "" ||
		slices.ContainsFunc(o.Spec.Containers, isEnvoy) || slices.ContainsFunc(o.Spec.InitContainers, isEnvoy)
}
