package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// stage is a mesh, some of its proxies, and changes between which it goes to and fro.
type stage struct {
	snapshot sinks.Snapshot
	ids      []model.ProxyID
	classes  map[string]int // connected proxies by class
	swings   []swing
	own      *identities
}

// swing is a change that is made and undone.
type swing struct {
	name   string
	states [2]sinks.Snapshot
}

// swings are the edits that are pushed, by their name in editsOf.
var swings = []string{"endpoint", "requests", "egress"}

func newStage(dir string, e pushEffort) (*stage, error) {
	g := shapes.PowerLaw(e.services)
	apps := len(g.Manifests(1).Deployments)
	pods := (e.proxies + apps - 1) / apps
	objects := g.Dump(pods, pods)
	base := passage{}.next(objects, &samples{})
	s := &stage{snapshot: base.snapshot(), classes: map[string]int{}}
	var all []model.ProxyID
	for p := range base.resolution.Mesh.Proxies() {
		all = append(all, p.ID)
	}
	for i := range e.proxies {
		id := all[i*len(all)/e.proxies]
		class, ok := base.output.ClassOf(id)
		if !ok {
			return nil, fmt.Errorf("proxy %s has no class", id)
		}
		s.ids = append(s.ids, id)
		s.classes[class.Name]++
	}
	for _, kind := range editsOfHub(objects) {
		if slices.Contains(swings, kind.name) {
			there := base.next(kind.do(objects, 0), &samples{})
			back := there.next(kind.do(objects, 1), &samples{})
			s.swings = append(s.swings, swing{kind.name, [2]sinks.Snapshot{there.snapshot(), back.snapshot()}})
		}
	}
	var err error
	s.own, err = newIdentities(dir, s.snapshot.Mesh.Settings().TrustDomain)
	return s, err
}

// resources is how many resources all proxies have in all.
func (s *stage) resources() int {
	n := 0
	for class := range s.snapshot.Output.Classes.Values() {
		for _, list := range listsOf(class) {
			n += list.Len() * s.classes[class.Name]
		}
		n += class.Secrets.Len() * s.classes[class.Name]
	}
	return n
}

func (p passage) snapshot() sinks.Snapshot {
	return sinks.Snapshot{Mesh: p.resolution.Mesh, Output: p.output}
}

// crew is what the process of the proxies has to know.
func (s *stage) crew(address string) (crew, error) {
	c := crew{Address: address, Trust: s.own.Trust()}
	pairs := map[model.Identity]int{}
	for _, id := range s.ids {
		p, _ := s.snapshot.Mesh.Proxy(id)
		at, ok := pairs[p.Identity]
		if !ok {
			chain, key, err := s.own.Certificate(context.Background(), p.Identity)
			if err != nil {
				return c, err
			}
			at = len(c.Pairs)
			pairs[p.Identity] = at
			c.Pairs = append(c.Pairs, pair{chain, key.PEM()})
		}
		c.Proxies = append(c.Proxies, member{id.String(), at})
	}
	return c, nil
}
