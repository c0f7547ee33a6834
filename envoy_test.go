package fsmc_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"sigs.k8s.io/yaml"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// TestEnvoyLoads has the real Envoy load every golden envoy.yaml. They are loaded many at a time, with their names and
// ports made unique: Envoy checks each listener, route table and cluster as it would alone. When a batch is refused,
// its files are loaded one by one, as they are, to find the guilty.
func TestEnvoyLoads(t *testing.T) {
	goldens := goldenConfigurations(t)
	if len(goldens) < 60 {
		t.Fatalf("only %d golden configurations were found: run make golden", len(goldens))
	}
	folder := parts.Certified(t)
	const size = 50
	for start := 0; start < len(goldens); start += size {
		batch := goldens[start:min(start+size, len(goldens))]
		t.Run(fmt.Sprintf("%d-%d", start+1, start+len(batch)), func(t *testing.T) {
			t.Parallel()
			if refusal := parts.Validate(t, folder, merged(t, batch), "yaml"); refusal == "" {
				return
			}
			for _, golden := range batch {
				if refusal := parts.Validate(t, folder, contents(t, golden), "yaml"); refusal != "" {
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
	folder := parts.Certified(t)
	goldens, err := filepath.Glob("testdata/bookstore/split/want/proxies/*/*/envoy.yaml")
	if err != nil || len(goldens) < 5 {
		t.Fatalf("%d configurations of the bookstore: %v", len(goldens), err)
	}
	for _, golden := range goldens {
		if refusal := parts.Validate(t, folder, contents(t, golden), "yaml"); refusal != "" {
			t.Errorf("%s: %s", golden, refusal)
		}
	}
}

// TestEnvoyRefuses shows that the tests above can fail.
func TestEnvoyRefuses(t *testing.T) {
	folder := parts.Certified(t)
	const golden = "testdata/bookstore/split/want/proxies/bookbuyer/bookbuyer-0/envoy.yaml"
	whole := string(contents(t, golden))
	for name, broken := range map[string]string{
		"a route to a cluster that is not there": strings.ReplaceAll(whole, "name: bookstore/bookstore-v1|14001", "name: bookstore/nobody|14001"),
		"a field that Envoy does not know":       strings.Replace(whole, "connect_timeout:", "connect_patience:", 1),
		"a port out of range":                    strings.Replace(whole, "port_value: 15001", "port_value: 150010", 1),
	} {
		if broken == whole {
			t.Errorf("%s: the edit found nothing to break", name)
		} else if refusal := parts.Validate(t, folder, []byte(broken), "yaml"); refusal == "" {
			t.Errorf("%s: Envoy loaded it", name)
		}
	}
	if refusal := parts.Validate(t, folder, []byte(strings.ReplaceAll(string(merged(t, []string{golden, golden})), "p1/", "p0/")), "yaml"); refusal == "" {
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

// merged is one configuration with the listeners and clusters of many.
func merged(t *testing.T, goldens []string) []byte {
	t.Helper()
	var list []*bootstrapv3.Bootstrap
	for _, golden := range goldens {
		one := &bootstrapv3.Bootstrap{}
		text, err := yaml.YAMLToJSON(contents(t, golden))
		if err != nil {
			t.Fatalf("%s: %v", golden, err)
		}
		if err := protojson.Unmarshal(text, one); err != nil {
			t.Fatalf("%s: %v", golden, err)
		}
		list = append(list, one)
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(parts.Merge(t, list))
	if err != nil {
		t.Fatal(err)
	}
	text, err = yaml.JSONToYAML(text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
