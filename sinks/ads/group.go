package ads

import (
	"runtime"
	"slices"
	"sync/atomic"
)

// Streams are kept by the class of their proxy, so that a snapshot costs next to nothing for those to which it brings
// nothing: neither is their proxy looked up nor are they told.

// group is the connected streams of one class.
type group struct {
	// target is the newest of the class; nil in the group of those whose proxies the mesh does not have any more.
	target  atomic.Pointer[target]
	streams []*stream
}

// join puts a stream into the group of its class, out of the one where it is. The server is locked.
func (s *Server) join(st *stream) {
	class, t := "", s.world.targetOf(st.id)
	if t != nil {
		class = t.name
	}
	g, ok := s.groups[class]
	if !ok {
		g = &group{}
		s.groups[class] = g
	}
	g.target.Store(t)
	if old := st.group.Load(); old != nil {
		old.remove(st)
	}
	st.place = len(g.streams)
	g.streams = append(g.streams, st)
	st.group.Store(g)
}

// remove takes a stream out of its group.
func (g *group) remove(st *stream) {
	last := len(g.streams) - 1
	g.streams[st.place] = g.streams[last]
	g.streams[st.place].place = st.place
	g.streams[last] = nil
	g.streams = g.streams[:last]
}

// regroup brings the groups up to a new world. It returns the streams that have another target, or none any more. The
// server is locked.
func (s *Server) regroup(before *world) []*stream {
	var told, astray []*stream
	for class, g := range s.groups {
		was, now := g.target.Load(), s.world.classes[class].target
		g.target.Store(now)
		if before == nil || class == "" || !s.world.keeps(class, before) {
			astray = append(astray, g.streams...)
		}
		if was != now || class == "" {
			told = append(told, g.streams...)
		}
	}
	for _, st := range astray {
		was := st.target()
		if s.join(st); st.target() != was {
			told = append(told, st)
		}
	}
	for class, g := range s.groups {
		if len(g.streams) == 0 {
			delete(s.groups, class)
		}
	}
	return told
}

// tell has streams look at what is new. Few goroutines do it for all of them, as none waits for its proxy: to wake one of
// each stream costs more than what it has to do.
func tell(streams []*stream) {
	if len(streams) == 0 {
		return
	}
	list, next := slices.Clone(streams), &atomic.Int64{}
	for range min(runtime.GOMAXPROCS(0), len(list)) {
		go func() {
			for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
				list[i].look()
			}
		}()
	}
}
