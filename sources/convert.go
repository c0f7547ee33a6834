package sources

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	accessv1alpha2 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha2"
	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"
	specsv1alpha1 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha1"
	specsv1alpha2 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha2"
	specsv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha3"
	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"
	splitv1alpha1 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha1"
	splitv1alpha2 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha2"
	splitv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha3"
	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
)

// The conversions go upwards only, and never widen access: the port of old TrafficTargets is kept beside, and
// quantities keep their proportion.

// targetV1alpha1 is a TrafficTarget of that version. The SDK's own type cannot tell a port of 0, which admits nothing,
// from one that is not written, which restricts nothing.
type targetV1alpha1 struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Destination       accessv1alpha2.IdentityBindingSubject   `json:"destination"`
	Sources           []accessv1alpha2.IdentityBindingSubject `json:"sources"`
	Specs             []accessv1alpha2.TrafficTargetRule      `json:"specs"`
}

func targetFromV1alpha1(old *targetV1alpha1) *TrafficTarget {
	target := &TrafficTarget{Version: "v1alpha1", Port: old.Destination.Port}
	target.ObjectMeta = old.ObjectMeta
	target.Spec.Destination = subject(old.Destination.Kind, old.Destination.Namespace, old.Destination.Name)
	for _, s := range old.Sources {
		target.Spec.Sources = append(target.Spec.Sources, subject(s.Kind, s.Namespace, s.Name))
	}
	for _, r := range old.Specs {
		target.Spec.Rules = append(target.Spec.Rules, accessv1alpha3.TrafficTargetRule(r))
	}
	return target
}

func targetFromV1alpha2(old *accessv1alpha2.TrafficTarget) *TrafficTarget {
	target := &TrafficTarget{Version: "v1alpha2", Port: old.Spec.Destination.Port}
	target.ObjectMeta = old.ObjectMeta
	d := old.Spec.Destination
	target.Spec.Destination = subject(d.Kind, d.Namespace, d.Name)
	for _, s := range old.Spec.Sources {
		target.Spec.Sources = append(target.Spec.Sources, subject(s.Kind, s.Namespace, s.Name))
	}
	for _, r := range old.Spec.Rules {
		target.Spec.Rules = append(target.Spec.Rules, accessv1alpha3.TrafficTargetRule(r))
	}
	return target
}

func subject(kind, namespace, name string) accessv1alpha3.IdentityBindingSubject {
	return accessv1alpha3.IdentityBindingSubject{Kind: kind, Namespace: namespace, Name: name}
}

func groupFromV1alpha1(old *specsv1alpha1.HTTPRouteGroup) *HTTPRouteGroup {
	group := &HTTPRouteGroup{Version: "v1alpha1"}
	group.ObjectMeta = old.ObjectMeta
	for _, m := range old.Matches {
		group.Spec.Matches = append(group.Spec.Matches, match(m.Name, m.PathRegex, m.Methods, nil))
	}
	return group
}

func groupFromV1alpha2(old *specsv1alpha2.HTTPRouteGroup) *HTTPRouteGroup {
	group := &HTTPRouteGroup{Version: "v1alpha2"}
	group.ObjectMeta = old.ObjectMeta
	for _, m := range old.Matches {
		group.Spec.Matches = append(group.Spec.Matches, match(m.Name, m.PathRegex, m.Methods, m.Headers))
	}
	return group
}

func groupFromV1alpha3(old *specsv1alpha3.HTTPRouteGroup) *HTTPRouteGroup {
	group := &HTTPRouteGroup{Version: "v1alpha3"}
	group.ObjectMeta = old.ObjectMeta
	for _, m := range old.Spec.Matches {
		group.Spec.Matches = append(group.Spec.Matches, match(m.Name, m.PathRegex, m.Methods, m.Headers))
	}
	return group
}

func match(name, path string, methods []string, headers map[string]string) specsv1alpha4.HTTPMatch {
	return specsv1alpha4.HTTPMatch{Name: name, PathRegex: path, Methods: methods, Headers: headers}
}

func routeOfAllPorts(meta metav1.ObjectMeta, version string) *TCPRoute {
	route := &TCPRoute{Version: version}
	route.ObjectMeta = meta
	return route
}

// splitFromV1alpha1 turns quantities into whole numbers by their thousandths, so that 1 stays twice 500m (SMI T2).
func splitFromV1alpha1(old *splitv1alpha1.TrafficSplit) (*TrafficSplit, []model.Diagnostic) {
	split := &TrafficSplit{Version: "v1alpha1"}
	split.ObjectMeta = old.ObjectMeta
	split.Spec.Service = old.Spec.Service
	for i, b := range old.Spec.Backends {
		at := refTo("TrafficSplit", old).At(fmt.Sprintf("spec.backends[%d].weight", i))
		if b.Weight == nil {
			return nil, []model.Diagnostic{model.Note(model.InvalidWeight, at.At(fmt.Sprintf("spec.backends[%d]", i)),
				fmt.Sprintf("backend %s has no weight", b.Service)).Did("the split is left out")}
		}
		thousandths := b.Weight.MilliValue()
		if thousandths < 0 || thousandths > maxWeight {
			return nil, []model.Diagnostic{model.Note(model.InvalidWeight, at,
				fmt.Sprintf("weight %s is not between 0 and %d", b.Weight, maxWeight/1000)).Did("the split is left out")}
		}
		split.Spec.Backends = append(split.Spec.Backends, splitv1alpha4.TrafficSplitBackend{Service: b.Service, Weight: int(thousandths)})
	}
	return split, nil
}

// maxWeight bounds a weight so that the sum of as many backends as fit in an object stays within what Envoy takes.
const maxWeight = 10_000_000

func splitFromV1alpha2(old *splitv1alpha2.TrafficSplit) *TrafficSplit {
	split := &TrafficSplit{Version: "v1alpha2"}
	split.ObjectMeta = old.ObjectMeta
	split.Spec.Service = old.Spec.Service
	for _, b := range old.Spec.Backends {
		split.Spec.Backends = append(split.Spec.Backends, splitv1alpha4.TrafficSplitBackend(b))
	}
	return split
}

func splitFromV1alpha3(old *splitv1alpha3.TrafficSplit) *TrafficSplit {
	split := &TrafficSplit{Version: "v1alpha3"}
	split.ObjectMeta = old.ObjectMeta
	split.Spec.Service = old.Spec.Service
	split.Spec.Matches = old.Spec.Matches
	for _, b := range old.Spec.Backends {
		split.Spec.Backends = append(split.Spec.Backends, splitv1alpha4.TrafficSplitBackend(b))
	}
	return split
}
