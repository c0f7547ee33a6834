package sources

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// selectionInput is services, and pods by namespace and name.
type selectionInput[P comparable] struct {
	services []*corev1.Service
	pods     []P
}

// selection is which pods each service selects, in the order of the pods. A service without a selector, or that is an alias
// for a DNS name, selects none.
type selection[P comparable] struct {
	in      selectionInput[P]
	waiting waiting
	of      map[model.ServiceID][]P
}

func selectObjects(in selectionInput[*corev1.Pod], before *selection[*corev1.Pod]) *selection[*corev1.Pod] {
	return selectFrom(in, before, func(p *corev1.Pod) *corev1.Pod { return p })
}

func selectLive(in selectionInput[*pod], before *selection[*pod]) *selection[*pod] {
	return selectFrom(in, before, func(p *pod) *corev1.Pod { return p.object })
}

// fewServices is how many services may come for each of them to be compared with every pod.
const fewServices = 8

// selectFrom makes the selection of pods, from one before if there is one: for services that stay, pods that are gone are
// taken out, and those that came are put in.
func selectFrom[P comparable](in selectionInput[P], before *selection[P], object func(P) *corev1.Pod) *selection[P] {
	if before == nil {
		before = &selection[P]{}
	}
	leave, join := exchange(before.in.services, in.services)
	gone, come := exchange(before.in.pods, in.pods)
	s := &selection[P]{in: in, waiting: before.waiting}
	if len(leave)+len(join) > 0 || s.waiting == nil {
		s.waiting = waitAtLabels(in.services)
	}
	if len(join) > fewServices || len(come)+len(gone) > few {
		s.of = selectPods(s.waiting, in.pods, object)
		return s
	}
	s.of = make(map[model.ServiceID][]P, len(in.services))
	left, joined := selectPods(before.waiting, gone, object), selectPods(s.waiting, come, object)
	for _, service := range in.services {
		id := serviceID(service)
		pods := before.of[id]
		if len(left[id])+len(joined[id]) > 0 {
			pods = exchanged(pods, left[id], joined[id], object)
		}
		if len(pods) > 0 {
			s.of[id] = pods
		}
	}
	for _, service := range join {
		delete(s.of, serviceID(service))
	}
	for _, service := range join {
		if pods := selectedBy(service, in.pods, object); len(pods) > 0 {
			s.of[serviceID(service)] = pods
		}
	}
	return s
}

// selectedBy are the pods that one service selects.
func selectedBy[P any](s *corev1.Service, pods []P, object func(P) *corev1.Pod) []P {
	if !hasSelector(s) {
		return nil
	}
	var selected []P
	for _, p := range pods {
		if o := object(p); o.Namespace == s.Namespace && selects(s, o) {
			selected = append(selected, p)
		}
	}
	return selected
}

// exchanged are pods without some and with others, in order.
func exchanged[P comparable](pods, without, with []P, object func(P) *corev1.Pod) []P {
	var left []P
	for _, p := range pods {
		if !slices.Contains(without, p) {
			left = append(left, p)
		}
	}
	for _, p := range with {
		if !slices.Contains(left, p) {
			left = append(left, p)
		}
	}
	slices.SortFunc(left, func(a, b P) int { return byName(object(a), object(b)) })
	return left
}
