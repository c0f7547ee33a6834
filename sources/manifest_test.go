package sources

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// read decodes manifests as a source would, without its checks.
func read(t *testing.T, manifests ...string) Objects {
	t.Helper()
	var objects Objects
	for _, text := range strings.Split("\n"+strings.Join(manifests, "\n---\n"), "\n---\n") {
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(text), &head); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if head.Kind == "" {
			continue
		}
		kind, ok := KindOf(head.APIVersion, head.Kind)
		if !ok {
			t.Fatalf("no kind %s %s", head.APIVersion, head.Kind)
		}
		o := kind.New()
		if err := yaml.Unmarshal([]byte(text), o); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if o.GetNamespace() == "" && !kind.ClusterScoped {
			o.SetNamespace("default")
		}
		kind.Add(&objects, o)
	}
	return objects
}
