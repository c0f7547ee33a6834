package compiler

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/tests/parts"
)

// TestEnvoyTakesRandomMeshes has the real Envoy load the configuration of every class of random meshes: as many as
// FSMC_MESHES says, or 100. Many classes go into one run, with their names and ports made unique; when Envoy refuses one,
// its classes are loaded alone and as they are, to find the guilty.
func TestEnvoyTakesRandomMeshes(t *testing.T) {
	t.Parallel()
	folder, all := parts.Certified(t), configurationsOfMeshes(t, meshes(t))
	const size = 40
	for start := 0; start < len(all); start += size {
		batch := all[start:min(start+size, len(all))]
		t.Run(fmt.Sprintf("%d-%d", start+1, start+len(batch)), func(t *testing.T) {
			t.Parallel()
			if refusal(t, folder, parts.Merge(t, batch)) == "" {
				return
			}
			for _, b := range batch {
				if said := refusal(t, folder, b); said != "" {
					t.Fatalf("%s\n%s", said, protojson.Format(b))
				}
			}
			t.Error("Envoy refuses these classes together, but each alone is fine")
		})
	}
}

func meshes(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FSMC_MESHES")
	if text == "" {
		return 100
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("FSMC_MESHES: %v", err)
	}
	return n
}

// configurationsOfMeshes are the standalone forms of all classes of n meshes, the same ones every time: a run of Envoy
// is too dear to be repeated while a property is being checked.
func configurationsOfMeshes(t *testing.T, n int) []*bootstrapv3.Bootstrap {
	t.Helper()
	var all []*bootstrapv3.Bootstrap
	for seed := range n {
		output, _ := Compile(worlds.Example(seed).mesh())
		for c := range output.Classes.Values() {
			all = append(all, output.Standalone(c.Proxies.At(0)))
		}
	}
	if len(all) < n {
		t.Fatalf("%d meshes have only %d classes", n, len(all))
	}
	return all
}

// TestEnvoyTakesHandmadeMeshes loads some configurations just as they are.
func TestEnvoyTakesHandmadeMeshes(t *testing.T) {
	t.Parallel()
	folder := parts.Certified(t)
	for name, settings := range map[string]model.Settings{"SMI": smi(), "permissive": permissive()} {
		output, _ := Compile(shop(settings))
		for c := range output.Classes.Values() {
			if said := refusal(t, folder, output.Standalone(c.Proxies.At(0))); said != "" {
				t.Errorf("%s: %s: %s", name, c.Name, said)
			}
		}
	}
}

// TestEnvoyRefuses shows that the tests above can fail.
func TestEnvoyRefuses(t *testing.T) {
	t.Parallel()
	folder := parts.Certified(t)
	looking := admit("looking", buyer, seller)
	looking.HTTP.Requests = requests(model.Match{Path: "/(?!ahead)", AnyMethod: true})
	for _, row := range []struct {
		name, says string
		mesh       *model.Mesh
		spoil      func(*bootstrapv3.Bootstrap_StaticResources)
	}{
		{
			name: "an expression that is not RE2", says: "invalid perl operator",
			mesh:  meshOf(smi(), looking, pod("seller-0", seller, "100.64.0.10", serves("web", 80, 8080, model.HTTP))),
			spoil: func(*bootstrapv3.Bootstrap_StaticResources) {},
		},
		{
			name: "two clusters of one name", says: "duplicate cluster", mesh: shop(smi()),
			spoil: func(r *bootstrapv3.Bootstrap_StaticResources) { r.Clusters = append(r.Clusters, r.Clusters[0]) },
		},
		{
			name: "two listeners at one address", says: "duplicate address", mesh: shop(smi()),
			spoil: func(r *bootstrapv3.Bootstrap_StaticResources) {
				twin := proto.CloneOf(r.Listeners[0])
				twin.Name = "twin"
				r.Listeners = append(r.Listeners, twin)
			},
		},
		{
			name: "two chains that match alike", says: "same matching rules", mesh: shop(smi()),
			spoil: func(r *bootstrapv3.Bootstrap_StaticResources) {
				i := slices.IndexFunc(r.Listeners, func(l *listenerv3.Listener) bool { return l.Name == inboundListener })
				twin := proto.CloneOf(r.Listeners[i].FilterChains[0])
				twin.Name = "twin"
				r.Listeners[i].FilterChains = append(r.Listeners[i].FilterChains, twin)
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			output, _ := Compile(row.mesh)
			b := output.Standalone(theSeller)
			row.spoil(b.StaticResources)
			if said := refusal(t, folder, b); !strings.Contains(said, row.says) {
				t.Errorf("Envoy does not say %q: %q", row.says, said)
			}
		})
	}
}

// refusal is what Envoy says of a configuration that it refuses or that has something deprecated in it.
func refusal(t *testing.T, folder string, b *bootstrapv3.Bootstrap) string {
	t.Helper()
	return parts.Validate(t, folder, marshal(b), "pb")
}
