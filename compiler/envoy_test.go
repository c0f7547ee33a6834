package compiler

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/flomesh-io/fsmc/model"
)

// TestEnvoyTakesRandomMeshes has the real Envoy load the configuration of every class of random meshes: as many as
// FSMC_MESHES says, or 100. Many classes go into one run, with their names and ports made unique; when Envoy refuses one,
// its classes are loaded alone and as they are, to find the guilty.
func TestEnvoyTakesRandomMeshes(t *testing.T) {
	t.Parallel()
	folder, all := certified(t), configurationsOfMeshes(t, meshes(t))
	const size = 40
	for start := 0; start < len(all); start += size {
		batch := all[start:min(start+size, len(all))]
		t.Run(fmt.Sprintf("%d-%d", start+1, start+len(batch)), func(t *testing.T) {
			t.Parallel()
			if validate(t, folder, merged(batch)) == "" {
				return
			}
			for _, b := range batch {
				if refusal := validate(t, folder, b); refusal != "" {
					t.Fatalf("%s\n%s", refusal, protojson.Format(b))
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
	folder := certified(t)
	for name, settings := range map[string]model.Settings{"SMI": smi(), "permissive": permissive()} {
		output, _ := Compile(shop(settings))
		for c := range output.Classes.Values() {
			if refusal := validate(t, folder, output.Standalone(c.Proxies.At(0))); refusal != "" {
				t.Errorf("%s: %s: %s", name, c.Name, refusal)
			}
		}
	}
}

// TestEnvoyRefuses shows that the tests above can fail.
func TestEnvoyRefuses(t *testing.T) {
	t.Parallel()
	folder := certified(t)
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
			if refusal := validate(t, folder, b); !strings.Contains(refusal, row.says) {
				t.Errorf("Envoy does not say %q: %q", row.says, refusal)
			}
		})
	}
}

// validate has Envoy load a configuration, and gives back what it said if it refused or warned of something deprecated.
func validate(t *testing.T, folder string, b *bootstrapv3.Bootstrap) string {
	t.Helper()
	f, err := os.CreateTemp(folder, "envoy-*.pb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(marshal(b)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, envoy(t), "--mode", "validate", "--config-path", f.Name(), "--log-level", "warning")
	command.Dir = folder // certificates are named relative to where Envoy runs
	output, err := command.CombinedOutput()
	switch {
	case err != nil:
		return fmt.Sprintf("%v\n%s", err, output)
	case bytes.Contains(bytes.ToLower(output), []byte("deprecated")):
		return string(output)
	}
	return ""
}

// envoy is the path of the real Envoy. These tests are never skipped: without one they fail.
func envoy(t *testing.T) string {
	t.Helper()
	path, err := findEnvoy()
	if err != nil {
		t.Fatalf("there is no Envoy, and scripts/envoy.sh could not get one: %v", err)
	}
	return path
}

var findEnvoy = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("FSMC_ENVOY"); path != "" {
		return path, nil
	}
	path, err := exec.Command("../scripts/envoy.sh").Output()
	return strings.TrimSpace(string(path)), err
})

// certified is a folder with a throw-away certificate under the names that standalone configurations use.
func certified(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		URIs: []*url.URL{{Scheme: "spiffe", Host: "cluster.local", Path: "/ns/shop/sa/seller"}},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, block := range map[string]*pem.Block{
		CertificateFile: {Type: "CERTIFICATE", Bytes: certificate},
		TrustFile:       {Type: "CERTIFICATE", Bytes: certificate},
		PrivateKeyFile:  {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// merged is one configuration with the listeners and clusters of many.
func merged(list []*bootstrapv3.Bootstrap) *bootstrapv3.Bootstrap {
	all := &bootstrapv3.Bootstrap{StaticResources: &bootstrapv3.Bootstrap_StaticResources{}}
	port := &corev3.SocketAddress_PortValue{PortValue: 20000}
	for i, each := range list {
		one := proto.CloneOf(each)
		rename(one.ProtoReflect(), fmt.Sprintf("p%d/", i))
		for _, l := range one.StaticResources.Listeners {
			port = &corev3.SocketAddress_PortValue{PortValue: port.PortValue + 1}
			l.Address.GetSocketAddress().PortSpecifier = port
			for _, a := range l.AdditionalAddresses {
				a.Address.GetSocketAddress().PortSpecifier = port
			}
		}
		all.LayeredRuntime = one.LayeredRuntime
		proto.Merge(all, &bootstrapv3.Bootstrap{Node: one.Node, StaticResources: one.StaticResources})
	}
	return all
}

// rename puts a prefix before every name of a listener or cluster in a message, inside of what is packed too.
func rename(m protoreflect.Message, prefix string) {
	switch known := m.Interface().(type) {
	case *anypb.Any:
		repack(known, func(inner proto.Message) { rename(inner.ProtoReflect(), prefix) })
		return
	case *structpb.Struct:
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case renamed[f.FullName()]:
			m.Set(f, protoreflect.ValueOfString(prefix+v.String()))
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, value protoreflect.Value) bool {
					rename(value.Message(), prefix)
					return true
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				rename(v.List().Get(i).Message(), prefix)
			}
		default:
			rename(v.Message(), prefix)
		}
		return true
	})
}

// renamed are the fields that hold the name of a listener or cluster.
var renamed = map[protoreflect.FullName]bool{
	"envoy.config.listener.v3.Listener.name":                                                    true,
	"envoy.config.cluster.v3.Cluster.name":                                                      true,
	"envoy.config.endpoint.v3.ClusterLoadAssignment.cluster_name":                               true,
	"envoy.config.route.v3.RouteAction.cluster":                                                 true,
	"envoy.config.route.v3.WeightedCluster.ClusterWeight.name":                                  true,
	"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.cluster":                            true,
	"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight.name": true,
}
