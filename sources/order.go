package sources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
