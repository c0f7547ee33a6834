package model

import "iter"

// Two meshes that were made of one another share the entities that they have in common, so that what differs is found
// by walking both in step and comparing pointers. An entity that was made anew counts as changed even if it is equal.

// ServicesSince iterates over the services that differ from those of a previous mesh, in order: as they were and as they
// are, nil where one has no such service.
func (m *Mesh) ServicesSince(previous *Mesh) iter.Seq2[*Service, *Service] {
	return since(previous.services, m.services, compareServices)
}

// ProxiesSince is ServicesSince for proxies.
func (m *Mesh) ProxiesSince(previous *Mesh) iter.Seq2[*Proxy, *Proxy] {
	return since(previous.proxies, m.proxies, compareProxies)
}

// PermissionsSince is ServicesSince for permissions.
func (m *Mesh) PermissionsSince(previous *Mesh) iter.Seq2[*Permission, *Permission] {
	return since(previous.permissions, m.permissions, comparePermissions)
}

// SplitRootsSince iterates over the services whose splits, or whose order of splits, differ from those of a previous
// mesh, in order.
func (m *Mesh) SplitRootsSince(previous *Mesh) iter.Seq[ServiceID] {
	return func(yield func(ServiceID) bool) {
		before, after := previous.splits, m.splits
		for !same(before, after) {
			n := inCommon(before, after)
			before, after = before[n:], after[n:]
			if len(before) == 0 && len(after) == 0 {
				return
			}
			root := firstRoot(before, after)
			if !yield(root) {
				return
			}
			before, after = before[len(splitsOf(before, root)):], after[len(splitsOf(after, root)):]
		}
	}
}

func firstRoot(a, b []*Split) ServiceID {
	if len(a) == 0 || len(b) > 0 && compareRoots(b[0], a[0]) < 0 {
		return b[0].Root
	}
	return a[0].Root
}

func since[T any](before, after []*T, compare func(a, b *T) int) iter.Seq2[*T, *T] {
	return func(yield func(*T, *T) bool) {
		for !same(before, after) {
			n := inCommon(before, after)
			before, after = before[n:], after[n:]
			var was, is *T
			switch {
			case len(before) == 0 && len(after) == 0:
				return
			case len(after) == 0, len(before) > 0 && compare(before[0], after[0]) < 0:
				was = before[0]
			case len(before) == 0 || compare(before[0], after[0]) > 0:
				is = after[0]
			default:
				was, is = before[0], after[0]
			}
			if was != nil {
				before = before[1:]
			}
			if is != nil {
				after = after[1:]
			}
			if !yield(was, is) {
				return
			}
		}
	}
}

// same says whether two slices are one, so that nothing in them differs.
func same[T any](a, b []*T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// inCommon is the number of items that two slices begin with alike.
func inCommon[T any](a, b []*T) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
