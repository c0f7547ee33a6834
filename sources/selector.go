package sources

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// selectPods finds the pods that each service selects, in the order of the pods. A service without a selector, or that
// is an alias for a DNS name, selects none.
//
// A pod is only compared with services that ask for one of its labels: each service waits at the label of its selector
// that the fewest services of its namespace ask for.
func selectPods[P any](waiting waiting, pods []P, object func(P) *corev1.Pod) map[model.ServiceID][]P {
	selected := map[model.ServiceID][]P{}
	if len(waiting) == 0 {
		return selected
	}
	for _, p := range pods {
		o := object(p)
		//ordered: a service waits at one label only, and gets the pods in their order
		for key, value := range o.Labels {
			for _, s := range waiting[label{o.Namespace, key, value}] {
				if selects(s, o) {
					selected[serviceID(s)] = append(selected[serviceID(s)], p)
				}
			}
		}
	}
	return selected
}

// label is one label in one namespace.
type label struct{ namespace, key, value string }

// waiting are the services that wait at each label.
type waiting map[label][]*corev1.Service

func waitAtLabels(services []*corev1.Service) waiting {
	asked := map[label]int{}
	for _, s := range services {
		//ordered: it counts
		for key, value := range s.Spec.Selector {
			asked[label{s.Namespace, key, value}]++
		}
	}
	waiting := waiting{}
	for _, s := range services {
		if hasSelector(s) {
			at := rarest(s, asked)
			waiting[at] = append(waiting[at], s)
		}
	}
	return waiting
}

func rarest(s *corev1.Service, asked map[label]int) label {
	var found label
	for _, key := range slices.Sorted(maps.Keys(s.Spec.Selector)) {
		l := label{s.Namespace, key, s.Spec.Selector[key]}
		if found == (label{}) || asked[l] < asked[found] {
			found = l
		}
	}
	return found
}

func hasSelector(s *corev1.Service) bool {
	return len(s.Spec.Selector) > 0 && s.Spec.Type != corev1.ServiceTypeExternalName
}

func selects(s *corev1.Service, p *corev1.Pod) bool {
	//ordered: all must hold
	for key, value := range s.Spec.Selector {
		if have, ok := p.Labels[key]; !ok || have != value {
			return false
		}
	}
	return true
}

func serviceID(s *corev1.Service) model.ServiceID {
	return model.ServiceID{Namespace: s.Namespace, Name: s.Name}
}
