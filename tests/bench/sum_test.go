package main

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

func TestSum(t *testing.T) {
	for _, s := range shapes.Shapes {
		for _, perm := range []bool{false, true} {
			o := s.Make(100).Dump(10, 10)
			o.MeshConfigs[0].Spec.Traffic.EnablePermissiveTrafficPolicyMode = perm
			mesh, _ := sources.Resolve(o)
			output, _ := compiler.Compile(mesh)
			h := sha256.New()
			for c := range output.Classes.Values() {
				for _, l := range [][]*compiler.Resource{collect(c.Listeners), collect(c.Routes), collect(c.Clusters), collect(c.Endpoints)} {
					for _, r := range l {
						fmt.Fprintln(h, c.Name, r.Type, r.Name, r.Version)
					}
				}
			}
			t.Logf("%s %v %x %+v", s.Name, perm, h.Sum(nil)[:8], output.Counters)
		}
	}
}
func collect(l interface{ Len() int; At(int) *compiler.Resource }) (all []*compiler.Resource) {
	for i := range l.Len() { all = append(all, l.At(i)) }
	return
}
