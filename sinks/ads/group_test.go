package ads

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// TestGroupsFollowTheMesh publishes meshes at random while streams come and go. Each stream is in the group of its proxy's
// class, once; who has another target than before is told, and nobody else whose proxy is there.
func TestGroupsFollowTheMesh(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := NewServer(Options{})
		var streams []*stream
		var before *world
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			was := map[*stream]*target{}
			for _, st := range streams {
				was[st] = st.target()
			}
			before, s.world = s.world, newWorld(randomShop(t).snapshot(), s.world)
			told := s.regroup(before)
			for _, st := range streams {
				now := s.world.targetOf(st.id)
				if st.target() != now {
					t.Fatalf("%s is in the group of another class", st.id)
				}
				if now != nil && (was[st] != now) != slices.Contains(told, st) || now == nil && !slices.Contains(told, st) {
					t.Fatalf("%s is told: %t", st.id, slices.Contains(told, st))
				}
			}
			streams = s.comeAndGo(t, streams)
			s.placed(t, streams)
		}
	})
}

func randomShop(t *rapid.T) shop {
	mesh := newShop(manyServices(rapid.IntRange(1, 3).Draw(t, "services"))...)
	mesh.buyers, mesh.sellers = rapid.IntRange(1, 3).Draw(t, "buyers"), rapid.IntRange(1, 3).Draw(t, "sellers")
	mesh.absent = rapid.SampledFrom([]model.ProxyID{{}, buyerProxy, sellerProxy}).Draw(t, "absent")
	if rapid.Bool().Draw(t, "nobody is admitted") {
		mesh.admitted = nil
	}
	return mesh
}

// comeAndGo has some streams end and others begin.
func (s *Server) comeAndGo(t *rapid.T, streams []*stream) []*stream {
	streams = slices.DeleteFunc(streams, func(st *stream) bool {
		goes := rapid.IntRange(0, 3).Draw(t, "goes") == 0
		if goes {
			st.group.Load().remove(st)
		}
		return goes
	})
	for range rapid.IntRange(0, 3).Draw(t, "come") {
		name := fmt.Sprintf("%s-%d", rapid.SampledFrom([]string{"buyer", "seller"}).Draw(t, "kind"), rapid.IntRange(0, 2).Draw(t, "number"))
		st := &stream{Server: s, id: model.ProxyID{Namespace: "shop", Name: name}}
		s.join(st)
		streams = append(streams, st)
	}
	return streams
}

// placed says that each stream is where it says that it is, and that nobody else is there.
func (s *Server) placed(t *rapid.T, streams []*stream) {
	n := 0
	for _, g := range s.groups { //ordered: each is looked at by itself
		n += len(g.streams)
	}
	if n != len(streams) {
		t.Fatalf("%d streams in groups, and there are %d", n, len(streams))
	}
	for _, st := range streams {
		if g := st.group.Load(); g.streams[st.place] != st {
			t.Fatalf("%s is not at its place", st.id)
		}
	}
}

// TestMembersMoveBetweenClasses: a proxy whose class is another one follows that one.
func TestMembersMoveBetweenClasses(t *testing.T) {
	t.Parallel()
	mesh := newShop("web")
	server, _, f := served(t, mesh, sellerProxy, seller, Options{})
	before := server.Proxies()[0].Class
	mesh.services = append(mesh.services, "books")
	publish(t, server, mesh.snapshot())
	eventually(t, "it is of another class", func() bool {
		p := server.Proxies()[0]
		return p.Settled && p.Class != before && len(f.versions(clusters)) == classOf(t, mesh.snapshot(), sellerProxy).Clusters.Len()
	})
	publish(t, server, newShop("web").snapshot())
	eventually(t, "it is of the one before", func() bool { return server.Proxies()[0].Class == before })
}

// TestWhoIsGoneComesBack: a proxy that the mesh does not have for a moment keeps its stream.
func TestWhoIsGoneComesBack(t *testing.T) {
	t.Parallel()
	mesh := newShop("web")
	server, _, f := served(t, mesh, buyerProxy, buyer, Options{Limits: Limits{Gone: time.Minute}})
	gone := mesh
	gone.absent = buyerProxy
	publish(t, server, gone.snapshot())
	eventually(t, "it is of no class", func() bool { return server.Proxies()[0].Class == "" })
	mesh.services = append(mesh.services, "books")
	publish(t, server, mesh.snapshot())
	eventually(t, "it has what is new", func() bool { return f.versions(clusters)["shop/books|80"] != "" && server.Settled() })
}
