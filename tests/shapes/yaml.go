package shapes

import (
	"bytes"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/flomesh-io/fsmc/sources"
)

// YAML writes the objects of a generated mesh as one text of many documents.
func YAML(o sources.Objects) []byte {
	var text bytes.Buffer
	var last *corev1.Pod
	var lastText string
	for _, d := range documents(o) {
		pod, isPod := d.(*corev1.Pod)
		switch {
		case isPod && last != nil && areReplicas(last, pod):
			lastText = strings.NewReplacer(differences(last, pod)...).Replace(lastText)
		default:
			lastText = marshal(d)
		}
		last = pod
		text.WriteString("---\n")
		text.WriteString(lastText)
	}
	return text.Bytes()
}

func marshal(object any) string {
	b, err := yaml.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("shapes: %v", err)) // every type of the API can be marshalled
	}
	return string(b)
}

// areReplicas says whether two pods differ in their names and addresses only. Most of a dump is such pods, and to put
// other words into the text of one takes a fraction of the time of marshalling another.
func areReplicas(a, b *corev1.Pod) bool {
	return a.OwnerReferences[0].UID == b.OwnerReferences[0].UID && a.Status.Conditions[0] == b.Status.Conditions[0]
}

// differences are the words of the one pod, each with that of the other.
func differences(a, b *corev1.Pod) []string {
	words := func(p *corev1.Pod) []string {
		return []string{p.Name, string(p.UID), p.Labels[sources.ProxyUUIDLabel], "nodeName: " + p.Spec.NodeName, "ip: " + p.Status.PodIP, "podIP: " + p.Status.PodIP}
	}
	var pairs []string
	for i, word := range words(a) {
		pairs = append(pairs, word, words(b)[i])
	}
	return pairs
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
