package sources

import "reflect"

// What is made of the objects is made in stages, and each stage, or each entity in it, is remembered with what it was made
// of. The function that makes it takes nothing else, so that what was remembered can be taken as it is when its input is the
// same: nothing can be forgotten in a key, for the input is the key.
//
//	made := before.again(input, make)   // make(input) unless before was made of the same
//
// Objects and entities are the same by pointer; numbers, words and lists of them by value. A make function may look at what
// it made before, to make less anew, but what it makes must not depend on it.

// stage is one thing that was made, and what of.
type stage[I, O any] struct {
	made bool
	in   I
	out  O
}

// again is the stage itself if it was made of the same input, else one that is made now. The function gets what was made
// before; the zero value if nothing was.
func (s stage[I, O]) again(in I, make func(in I, before O) O) stage[I, O] {
	if s.made && identical(s.in, in) {
		return s
	}
	return stage[I, O]{true, in, make(in, s.out)}
}

// family is one stage for each key.
type family[K comparable, I, O any] map[K]stage[I, O]

// again is what the key's stage of before made, if it was of the same input, else what is made now. It is noted in f, which
// is the family that comes after.
func (f family[K, I, O]) again(before family[K, I, O], key K, in I, make func(in I, before O) O) O {
	s := before[key].again(in, make)
	f[key] = s
	return s.out
}

// reused is what was made of a key before, else what is made now; now is what comes after before. It is a family whose keys are
// their own input.
func reused[K comparable, O any](now, before map[K]O, key K, make func(K) O) O {
	out, ok := before[key]
	if !ok {
		out = make(key)
	}
	now[key] = out
	return out
}

// lineup is what was made of each thing of a list. Lists mostly stay as they are but for one place, so that what stands before
// it and behind it is found without a look at each.
type lineup[T comparable, O any] struct {
	in  []T
	out []O
}

// again is the lineup of another list. What was made of the same thing before is taken.
func (l lineup[T, O]) again(in []T, of func(T) O) lineup[T, O] {
	head, _ := commonEnds(l.in, in)
	if head == len(in) && head == len(l.in) {
		return l
	}
	next := lineup[T, O]{in, make([]O, len(in))}
	for i, was := range counterparts(l.in, in) {
		if was >= 0 {
			next.out[i] = l.out[was]
			continue
		}
		next.out[i] = of(in[i])
	}
	return next
}

// counterparts are, for each thing of a list, where it stood in another one; -1 for those that did not.
func counterparts[T comparable](before, now []T) []int32 {
	head, tail := commonEnds(before, now)
	was := make([]int32, len(now))
	known := make(map[T]int32, len(before)-head-tail)
	for i := head; i < len(before)-tail; i++ {
		known[before[i]] = int32(i)
	}
	for i := range now {
		switch {
		case i < head:
			was[i] = int32(i)
		case i >= len(now)-tail:
			was[i] = int32(i - len(now) + len(before))
		default:
			was[i] = -1
			if j, ok := known[now[i]]; ok {
				was[i] = j
			}
		}
	}
	return was
}

// commonEnds are how many things two lists have in common at their beginnings, and then at their ends.
func commonEnds[T comparable](a, b []T) (head, tail int) {
	most := min(len(a), len(b))
	for head < most && a[head] == b[head] {
		head++
	}
	for tail < most-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
}

// pairwise says whether the things of two lists stand for each other, place by place: they are the same, or alike.
func pairwise[T comparable](a, b []T, alike func(a, b T) bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !alike(a[i], b[i]) {
			return false
		}
	}
	return true
}

// exchange is what is in one list only: in the first, and in the second.
func exchange[T comparable](before, now []T) (gone, come []T) {
	head, tail := commonEnds(before, now)
	before, now = before[head:len(before)-tail], now[head:len(now)-tail]
	there := make(map[T]bool, len(before))
	for _, b := range before {
		there[b] = true
	}
	for _, n := range now {
		if there[n] {
			delete(there, n)
			continue
		}
		come = append(come, n)
	}
	for _, b := range before {
		if there[b] {
			gone = append(gone, b)
		}
	}
	return gone, come
}

// kept is the first of two entities if they say the same, so that what did not change in the end is the same by pointer.
func kept[T any](before, now *T) *T {
	if before != nil && now != nil && identical(*before, *now) {
		return before
	}
	return now
}

// identical compares two values: pointers and maps by identity, everything else by what it holds. Functions are never the same.
func identical[T any](a, b T) bool {
	return same(reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem())
}

func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.UnsafePointer:
		return a.Pointer() == b.Pointer()
	case reflect.Func:
		return a.IsNil() && b.IsNil()
	case reflect.Slice:
		return a.Len() == b.Len() && (a.Pointer() == b.Pointer() || sameElements(a, b))
	case reflect.Array:
		return sameElements(a, b)
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return a.Elem().Type() == b.Elem().Type() && same(a.Elem(), b.Elem())
	case reflect.String:
		return a.String() == b.String()
	default:
		return a.Equal(b)
	}
}

func sameElements(a, b reflect.Value) bool {
	for i := range a.Len() {
		if !same(a.Index(i), b.Index(i)) {
			return false
		}
	}
	return true
}
