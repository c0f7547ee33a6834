package compiler

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// What resources say that they send traffic to is what is found in them, and is in their class.
func TestUsesAreWhatIsSentTo(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			for _, r := range c.resources() {
				uses := slices.Collect(r.Uses.Values())
				if diff := cmp.Diff(distinct(clusterNames(flat(decode[proto.Message](r)))), distinct(uses)); diff != "" {
					t.Errorf("%s of class %s sends traffic elsewhere (-found in it +said):\n%s", r.Name, c.Name, diff)
				}
				if !slices.Equal(uses, distinct(uses)) {
					t.Errorf("%s of class %s: out of order, or twice: %q", r.Name, c.Name, uses)
				}
				for _, name := range uses {
					if c.clusters[name] == nil {
						t.Errorf("%s of class %s uses cluster %s, which is not there", r.Name, c.Name, name)
					}
				}
			}
		}
	})
}

// The check above sees routes, splits, chains and doors.
func TestUsesOfTheShop(t *testing.T) {
	for id, want := range map[model.ProxyID]map[string][]string{
		theBuyer: {
			outboundListener:  {"shop/db|3306|direct", "shop/seller-0.db|3306", "shop/web|80|direct"},
			"rds-outbound.80": {"shop/web-v1|80", "shop/web-v2|80"},
		},
		theSeller: {
			inboundListener:    {"3306|local"},
			prometheusListener: {metricsCluster},
			"rds-inbound.8080": {"8080|local"},
		},
	} {
		got := map[string][]string{}
		for _, r := range compiled(t, shop(smi()), id).resources() {
			if r.Uses.Len() > 0 {
				got[r.Name] = slices.Collect(r.Uses.Values())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}
