package sources

import (
	"fmt"
	"testing"

	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"
	specsv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/specs/v1alpha4"
	splitv1alpha4 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/split/v1alpha4"

	"github.com/flomesh-io/fsmc/model"
)

// BenchmarkPolicies resolves a mesh of n services: each has a group of ten matches, a TrafficTarget with four clients
// and a split. Missing is the same with every group in the wrong namespace, so that each target gets a suggestion.
func BenchmarkPolicies(b *testing.B) {
	for _, n := range []int{100, 1000, 3000} {
		for _, groups := range []string{"shop", "back"} {
			objects, topology := policyMesh(n, groups)
			name := fmt.Sprintf("services=%d/present", n)
			if groups != "shop" {
				name = fmt.Sprintf("services=%d/missing", n)
			}
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					routes, _ := freshRoutes(objects, topology)
					freshPermissions(objects, model.Settings{}, topology, routes)
					freshSplits(objects, topology, routes)
				}
			})
		}
	}
}

func policyMesh(n int, groups string) (Objects, topology) {
	var objects Objects
	t := topology{
		namespaces: map[string]bool{"shop": true, "back": true},
		identities: map[model.Identity]bool{},
		served:     &memberIndex{of: map[model.Identity][]model.Member{}},
	}
	for i := range n {
		name := fmt.Sprintf("service-%d", i)
		service := &model.Service{ID: model.ServiceID{Namespace: "shop", Name: name}, Ports: model.ListOf(model.Port{Number: 80, Protocol: model.HTTP})}
		identity := model.Identity{Namespace: "shop", ServiceAccount: name}
		t.services = append(t.services, service)
		t.identities[identity], t.served.of[identity] = true, []model.Member{member(name, 80, 8080, model.HTTP)}

		group := &HTTPRouteGroup{}
		group.Namespace, group.Name = groups, name
		for j := range 10 {
			group.Spec.Matches = append(group.Spec.Matches, specsv1alpha4.HTTPMatch{
				Name: fmt.Sprint(j), PathRegex: fmt.Sprintf("/%s/%d/[a-z]+/.*", name, j), Methods: []string{"GET", "POST"},
			})
		}
		objects.HTTPRouteGroups = append(objects.HTTPRouteGroups, group)

		target := &TrafficTarget{Version: "v1alpha3"}
		target.Namespace, target.Name = "shop", name
		target.Spec.Destination = accessv1alpha3.IdentityBindingSubject{Kind: "ServiceAccount", Namespace: "shop", Name: name}
		target.Spec.Rules = []accessv1alpha3.TrafficTargetRule{{Kind: "HTTPRouteGroup", Name: name}}
		for j := range 4 {
			target.Spec.Sources = append(target.Spec.Sources, accessv1alpha3.IdentityBindingSubject{
				Kind: "ServiceAccount", Namespace: "shop", Name: fmt.Sprintf("service-%d", (i+j*7)%n),
			})
		}
		objects.TrafficTargets = append(objects.TrafficTargets, target)

		split := &TrafficSplit{}
		split.Namespace, split.Name = "shop", name
		split.Spec.Service = name
		split.Spec.Backends = []splitv1alpha4.TrafficSplitBackend{{Service: name, Weight: 1}, {Service: fmt.Sprintf("service-%d", (i+1)%n), Weight: 1}}
		objects.TrafficSplits = append(objects.TrafficSplits, split)
	}
	return objects, t
}
