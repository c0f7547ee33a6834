package fsmc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"

	"github.com/flomesh-io/fsmc/compiler"
)

// TestEnvoyLoads has the real Envoy load every golden envoy.yaml. They are loaded many at a time, with their names and
// ports made unique: Envoy checks each listener, route table and cluster as it would alone. When a batch is refused,
// its files are loaded one by one, as they are, to find the guilty.
func TestEnvoyLoads(t *testing.T) {
	goldens := goldenConfigurations(t)
	if len(goldens) < 60 {
		t.Fatalf("only %d golden configurations were found: run make golden", len(goldens))
	}
	folder := certified(t)
	const size = 50
	for start := 0; start < len(goldens); start += size {
		batch := goldens[start:min(start+size, len(goldens))]
		t.Run(fmt.Sprintf("%d-%d", start+1, start+len(batch)), func(t *testing.T) {
			t.Parallel()
			if refusal := validate(t, folder, merged(t, batch)); refusal == "" {
				return
			}
			for _, golden := range batch {
				if refusal := validate(t, folder, contents(t, golden)); refusal != "" {
					t.Errorf("%s: %s", golden, refusal)
				}
			}
			if !t.Failed() {
				t.Error("Envoy refuses these files together, but each alone is fine")
			}
		})
	}
}

// TestEnvoyLoadsAsWritten loads some goldens just as they are.
func TestEnvoyLoadsAsWritten(t *testing.T) {
	folder := certified(t)
	goldens, err := filepath.Glob("testdata/bookstore/split/want/proxies/*/*/envoy.yaml")
	if err != nil || len(goldens) < 5 {
		t.Fatalf("%d configurations of the bookstore: %v", len(goldens), err)
	}
	for _, golden := range goldens {
		if refusal := validate(t, folder, contents(t, golden)); refusal != "" {
			t.Errorf("%s: %s", golden, refusal)
		}
	}
}

// TestEnvoyRefuses shows that the tests above can fail.
func TestEnvoyRefuses(t *testing.T) {
	folder := certified(t)
	const golden = "testdata/bookstore/split/want/proxies/bookbuyer/bookbuyer-0/envoy.yaml"
	whole := string(contents(t, golden))
	for name, broken := range map[string]string{
		"a route to a cluster that is not there": strings.ReplaceAll(whole, "name: bookstore/bookstore-v1|14001", "name: bookstore/nobody|14001"),
		"a field that Envoy does not know":       strings.Replace(whole, "connect_timeout:", "connect_patience:", 1),
		"a port out of range":                    strings.Replace(whole, "port_value: 15001", "port_value: 150010", 1),
	} {
		if broken == whole {
			t.Errorf("%s: the edit found nothing to break", name)
		} else if refusal := validate(t, folder, []byte(broken)); refusal == "" {
			t.Errorf("%s: Envoy loaded it", name)
		}
	}
	if refusal := validate(t, folder, []byte(strings.ReplaceAll(string(merged(t, []string{golden, golden})), "p1/", "p0/"))); refusal == "" {
		t.Error("two listeners of one name: Envoy loaded them")
	}
}

func goldenConfigurations(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "envoy.yaml" {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// validate has Envoy load a configuration, and gives back what it said if it refused.
func validate(t *testing.T, folder string, configuration []byte) string {
	t.Helper()
	f, err := os.CreateTemp(folder, "envoy-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(configuration); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, envoy(t), "--mode", "validate", "--config-path", f.Name(), "--log-level", "warning")
	command.Dir = folder // the configuration names its certificates relative to where it runs
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, output)
	}
	if bytes.Contains(output, []byte("deprecated")) {
		return string(output)
	}
	return ""
}

// envoy is the path of the real Envoy. These tests are never skipped: without one they fail.
func envoy(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("FSMC_ENVOY"); path != "" {
		return path
	}
	path, err := exec.CommandContext(t.Context(), "scripts/envoy.sh").Output()
	if err != nil {
		t.Fatalf("there is no Envoy, and scripts/envoy.sh could not get one: %v", err)
	}
	return strings.TrimSpace(string(path))
}

// certified is a folder with a throw-away certificate under the names that standalone configurations use.
func certified(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		URIs: []*url.URL{{Scheme: "spiffe", Host: "cluster.local", Path: "/ns/test/sa/test"}},
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
		compiler.CertificateFile: {Type: "CERTIFICATE", Bytes: certificate},
		compiler.TrustFile:       {Type: "CERTIFICATE", Bytes: certificate},
		compiler.PrivateKeyFile:  {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// merged is one configuration with the listeners and clusters of many.
func merged(t *testing.T, goldens []string) []byte {
	t.Helper()
	all := &bootstrapv3.Bootstrap{StaticResources: &bootstrapv3.Bootstrap_StaticResources{}}
	port := uint32(20000)
	for i, golden := range goldens {
		one := &bootstrapv3.Bootstrap{}
		text, err := yaml.YAMLToJSON(contents(t, golden))
		if err != nil {
			t.Fatalf("%s: %v", golden, err)
		}
		if err := protojson.Unmarshal(text, one); err != nil {
			t.Fatalf("%s: %v", golden, err)
		}
		rename(t, one.ProtoReflect(), fmt.Sprintf("p%d/", i))
		for _, l := range one.StaticResources.Listeners {
			l.Address.GetSocketAddress().PortSpecifier = portValue(port)
			for _, a := range l.AdditionalAddresses {
				a.Address.GetSocketAddress().PortSpecifier = portValue(port)
			}
			port++
		}
		proto.Merge(all, &bootstrapv3.Bootstrap{Node: one.Node, StaticResources: one.StaticResources})
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	text, err = yaml.JSONToYAML(text)
	if err != nil {
		t.Fatal(err)
	}
	return text
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

// rename puts a prefix before every such name, inside of what is packed too.
func rename(t *testing.T, m protoreflect.Message, prefix string) {
	t.Helper()
	if packed, ok := m.Interface().(*anypb.Any); ok {
		inner, err := packed.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		rename(t, inner.ProtoReflect(), prefix)
		if err := packed.MarshalFrom(inner); err != nil {
			t.Fatal(err)
		}
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case renamed[f.FullName()]:
			m.Set(f, protoreflect.ValueOfString(prefix+v.String()))
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, value protoreflect.Value) bool {
					rename(t, value.Message(), prefix)
					return true
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				rename(t, v.List().Get(i).Message(), prefix)
			}
		default:
			rename(t, v.Message(), prefix)
		}
		return true
	})
}

func portValue(port uint32) *corev3.SocketAddress_PortValue {
	return &corev3.SocketAddress_PortValue{PortValue: port}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
