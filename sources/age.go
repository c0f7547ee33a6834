package sources

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// byAge puts the older object first, one without an age last, and equally old ones by namespace and name. It decides
// every conflict between objects.
func byAge(a, b metav1.Object) int {
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	switch {
	case at.IsZero() && !bt.IsZero():
		return 1
	case bt.IsZero() && !at.IsZero():
		return -1
	}
	return cmp.Or(at.Compare(bt.Time), byName(a, b))
}

func byName(a, b metav1.Object) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

// meshedInput is objects and the names of the namespaces of the mesh, in order.
type meshedInput[T metav1.Object] struct {
	objects    []T
	namespaces []string
}

// meshedOnly are the objects in namespaces of the mesh, by namespace and name.
func meshedOnly[T metav1.Object](in meshedInput[T], _ []T) []T {
	var found []T
	for _, o := range inOrder(in.objects) {
		if _, ok := slices.BinarySearch(in.namespaces, o.GetNamespace()); ok {
			found = append(found, o)
		}
	}
	return found
}
