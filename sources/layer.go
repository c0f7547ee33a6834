package sources

import "maps"

// layered is a map that is made of an older one, which stays as it is: what changed lies over it. The zero value of V says that
// there is nothing.
type layered[K comparable, V any] struct{ base, over map[K]V }

func (l layered[K, V]) get(key K) V {
	if v, ok := l.over[key]; ok {
		return v
	}
	return l.base[key]
}

// with is the map with changes. It is false when so much lies over it that it is better made anew.
func (l layered[K, V]) with(changes map[K]V) (layered[K, V], bool) {
	if len(l.over)+len(changes) > 64+len(l.base)/8 {
		return layered[K, V]{}, false
	}
	over := make(map[K]V, len(l.over)+len(changes))
	maps.Copy(over, l.over)
	maps.Copy(over, changes)
	return layered[K, V]{l.base, over}, true
}
