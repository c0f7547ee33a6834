package sources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// inOrder returns the objects by namespace and name: whatever is made of them then does not depend on the order in
// which they were read. Of two with one name, the older counts.
func inOrder[T metav1.Object](objects []T) []T {
	if strictlyOrdered(objects) {
		return objects
	}
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b T) int { return cmp.Or(byName(a, b), byAge(a, b)) })
	return slices.CompactFunc(sorted, func(a, b T) bool { return byName(a, b) == 0 })
}

// strictlyOrdered says whether each object is behind the one before it by namespace and name.
func strictlyOrdered[T metav1.Object](objects []T) bool {
	for i := 1; i < len(objects); i++ {
		if byName(objects[i-1], objects[i]) >= 0 {
			return false
		}
	}
	return true
}

// podOrder is pods by namespace and name.
type podOrder struct{ in, pods []*corev1.Pod }

// orderPods orders pods. Where few came and went, they are put into the order of before.
func orderPods(in []*corev1.Pod, before *podOrder) *podOrder {
	if before != nil && len(before.pods) == len(before.in) {
		gone, come := exchange(before.in, in)
		if merged, ok := merge(before.pods, gone, inOrder(come)); ok && len(merged) == len(in) {
			return &podOrder{in, merged}
		}
	}
	return &podOrder{in, inOrder(in)}
}

// merge puts objects among others, both in order, and leaves some of the others out; it is false if two have one name.
func merge[T interface {
	comparable
	metav1.Object
}](ordered, without, with []T) ([]T, bool) {
	out := make(map[T]bool, len(without))
	for _, o := range without {
		out[o] = true
	}
	merged := make([]T, 0, max(0, len(ordered)-len(without))+len(with))
	for _, o := range ordered {
		if out[o] {
			continue
		}
		for len(with) > 0 && byName(with[0], o) <= 0 {
			if byName(with[0], o) == 0 {
				return nil, false
			}
			merged, with = append(merged, with[0]), with[1:]
		}
		merged = append(merged, o)
	}
	return append(merged, with...), true
}

// some lists the first three things and counts the others.
func some[T fmt.Stringer](things []T) string {
	const listed = 3
	var words []string
	for _, t := range things[:min(listed, len(things))] {
		words = append(words, t.String())
	}
	list := strings.Join(words, ", ")
	if more := len(things) - listed; more > 0 {
		return fmt.Sprintf("%s and %d more", list, more)
	}
	return list
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
