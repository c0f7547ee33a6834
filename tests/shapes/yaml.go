package shapes

import (
	"bytes"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/flomesh-io/fsmc/sources"
)

// YAML writes the objects of a generated mesh as one text of many documents.
func YAML(o sources.Objects) []byte {
	var text bytes.Buffer
	for _, d := range documents(o) {
		b, err := yaml.Marshal(d)
		if err != nil {
			panic(fmt.Sprintf("shapes: %v", err))
		}
		text.WriteString("---\n")
		text.Write(b)
	}
	return text.Bytes()
}

// documents are the objects, of the kinds that a graph makes, as they are written.
func documents(o sources.Objects) []any {
	var all []any
	add(&all, o.MeshConfigs)
	add(&all, o.Namespaces)
	add(&all, o.ServiceAccounts)
	add(&all, o.Services)
	add(&all, o.Deployments)
	add(&all, o.ReplicaSets)
	add(&all, o.Pods)
	add(&all, o.EndpointSlices)
	for _, t := range o.TrafficTargets {
		all = append(all, t.TrafficTarget)
	}
	for _, g := range o.HTTPRouteGroups {
		all = append(all, g.HTTPRouteGroup)
	}
	for _, s := range o.TrafficSplits {
		all = append(all, s.TrafficSplit)
	}
	return all
}

func add[T any](all *[]any, objects []T) {
	for _, o := range objects {
		*all = append(*all, o)
	}
}
