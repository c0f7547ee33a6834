package sources

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// selectionInput is services, and pods by namespace and name.
type selectionInput struct {
	services []*corev1.Service
	pods     []*corev1.Pod
}

// selection is which pods each service selects, in the order of the pods. A service without a selector, or that is an alias
// for a DNS name, selects none.
type selection struct {
	in selectionInput
	of map[model.ServiceID][]*corev1.Pod
}

// selectFrom makes the selection of pods, from one before if there is one: for services that stay, pods that are gone are
// taken out, and those that came are put in.
func selectFrom(in selectionInput, before *selection) *selection {
	if before == nil {
		return &selection{in, selectPods(in.services, in.pods)}
	}
	stay, come := partition(in.services, before.in.services)
	gone, news := podChanges(before.in.pods, in.pods)
	if len(come)+len(news) > len(in.pods)/4 {
		return &selection{in, selectPods(in.services, in.pods)}
	}
	s := &selection{in, selectPods(come, in.pods)}
	left, joined := selectPods(stay, gone), selectPods(stay, news)
	for _, service := range stay {
		id := serviceID(service)
		pods := before.of[id]
		if len(left[id])+len(joined[id]) > 0 {
			pods = exchanged(pods, left[id], joined[id])
		}
		if len(pods) > 0 {
			s.of[id] = pods
		}
	}
	return s
}

// partition divides services into those that were there before and those that came.
func partition(services, before []*corev1.Service) (stay, come []*corev1.Service) {
	there := make(map[*corev1.Service]bool, len(before))
	for _, s := range before {
		there[s] = true
	}
	for _, s := range services {
		if there[s] {
			stay = append(stay, s)
		} else {
			come = append(come, s)
		}
	}
	return stay, come
}

// podChanges are the pods of before that are not in now, and those of now that were not in before.
func podChanges(before, now []*corev1.Pod) (gone, come []*corev1.Pod) {
	i, j := 0, 0
	for i < len(before) || j < len(now) {
		switch {
		case i < len(before) && j < len(now) && before[i] == now[j]:
			i, j = i+1, j+1
		case j == len(now) || i < len(before) && byName(before[i], now[j]) <= 0:
			gone = append(gone, before[i])
			i++
		default:
			come = append(come, now[j])
			j++
		}
	}
	return gone, come
}

// exchanged are pods without some and with others, in order.
func exchanged(pods, without, with []*corev1.Pod) []*corev1.Pod {
	var left []*corev1.Pod
	for _, p := range pods {
		if !slices.Contains(without, p) {
			left = append(left, p)
		}
	}
	left = append(left, with...)
	slices.SortFunc(left, func(a, b *corev1.Pod) int { return cmp.Or(byName(a, b), byAge(a, b)) })
	return left
}
