package shapes

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"
	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"
	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/sources"
)

// everything is the route group, one a namespace, of the applications that admit every request.
const everything = "everything"

// addPolicies adds a TrafficTarget for each application that is called, with the route groups that they refer to, and
// the splits.
func (g Graph) addPolicies(o *sources.Objects) {
	shared := map[string]bool{}
	for i, callers := range g.callers() {
		app := g.Apps[i]
		if app.Versioned {
			o.TrafficSplits = append(o.TrafficSplits, split(app))
		}
		if len(callers) == 0 {
			continue
		}
		group := app.Name
		switch {
		case app.Matches > 0:
			o.HTTPRouteGroups = append(o.HTTPRouteGroups, routeGroup(app.Namespace, group, matches(app.Matches)))
		default:
			group = everything
			if !shared[app.Namespace] {
				shared[app.Namespace] = true
				all := []specsv1alpha4.HTTPMatch{{Name: everything, PathRegex: ".*", Methods: []string{"*"}}}
				o.HTTPRouteGroups = append(o.HTTPRouteGroups, routeGroup(app.Namespace, group, all))
			}
		}
		o.TrafficTargets = append(o.TrafficTargets, g.target(app, group, callers))
	}
}

func (g Graph) target(app App, group string, callers []int) *sources.TrafficTarget {
	target := &sources.TrafficTarget{Version: "v1alpha3"}
	target.TypeMeta = metav1.TypeMeta{APIVersion: "access.smi-spec.io/v1alpha3", Kind: "TrafficTarget"}
	target.ObjectMeta = metav1.ObjectMeta{Namespace: app.Namespace, Name: app.Name}
	target.Spec.Destination = subject(app)
	target.Spec.Rules = []accessv1alpha3.TrafficTargetRule{{Kind: "HTTPRouteGroup", Name: group}}
	for _, caller := range callers {
		target.Spec.Sources = append(target.Spec.Sources, subject(g.Apps[caller]))
	}
	return target
}

func subject(app App) accessv1alpha3.IdentityBindingSubject {
	return accessv1alpha3.IdentityBindingSubject{Kind: "ServiceAccount", Namespace: app.Namespace, Name: app.Name}
}

func routeGroup(namespace, name string, matches []specsv1alpha4.HTTPMatch) *sources.HTTPRouteGroup {
	group := &sources.HTTPRouteGroup{Version: "v1alpha4"}
	group.TypeMeta = metav1.TypeMeta{APIVersion: "specs.smi-spec.io/v1alpha4", Kind: "HTTPRouteGroup"}
	group.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: name}
	group.Spec.Matches = matches
	return group
}

// matches are as people write them: a path each, some with several methods, some with headers.
func matches(count int) []specsv1alpha4.HTTPMatch {
	list := make([]specsv1alpha4.HTTPMatch, count)
	for i := range list {
		list[i] = specsv1alpha4.HTTPMatch{
			Name: fmt.Sprintf("match-%d", i), PathRegex: fmt.Sprintf("/api/v1/resource-%d/[^/]+", i), Methods: []string{"GET"},
		}
		switch i % 3 {
		case 1:
			list[i].Methods = []string{"POST", "PUT"}
		case 2:
			list[i].Headers = map[string]string{"client-app": fmt.Sprintf("app-%d-.*", i)}
		}
	}
	return list
}

func split(app App) *sources.TrafficSplit {
	s := &sources.TrafficSplit{Version: "v1alpha4"}
	s.TypeMeta = metav1.TypeMeta{APIVersion: "split.smi-spec.io/v1alpha4", Kind: "TrafficSplit"}
	s.ObjectMeta = metav1.ObjectMeta{Namespace: app.Namespace, Name: app.Name}
	s.Spec.Service = app.Name
	for i, version := range app.versions() {
		s.Spec.Backends = append(s.Spec.Backends, splitv1alpha4.TrafficSplitBackend{Service: version, Weight: []int{90, 10}[i]})
	}
	return s
}
