package disk

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

func TestFilesAreTheWholeTree(t *testing.T) {
	s := shop(t, 2)
	files, err := Files(s.Mesh, s.Output, s.Diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, file := range files {
		got[withoutHash(file.Path)]++
	}
	want := map[string]int{
		"mesh.yaml": 1, "diagnostics.yaml": 1,
		"classes/shop/client/listeners.yaml": 1, "classes/shop/client/routes.yaml": 1, "classes/shop/client/clusters.yaml": 1,
		"classes/shop/client/endpoints.yaml": 1, "classes/shop/client/secrets.yaml": 1,
		"classes/shop/server/listeners.yaml": 1, "classes/shop/server/routes.yaml": 1, "classes/shop/server/clusters.yaml": 1, "classes/shop/server/secrets.yaml": 1,
		"proxies/shop/client-0/envoy.yaml": 1, "proxies/shop/server-0/envoy.yaml": 1, "proxies/shop/server-1/envoy.yaml": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// withoutHash takes the hash out of the name of a class.
func withoutHash(file string) string {
	parts := strings.Split(file, "/")
	for i, part := range parts {
		parts[i], _, _ = strings.Cut(part, "~")
	}
	return path.Join(parts...)
}

func TestFilesHaveTheSameBytesEveryTime(t *testing.T) {
	first, second := shop(t, 3), shop(t, 3)
	a, err := Files(first.Mesh, first.Output, first.Diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Files(second.Mesh, second.Output, second.Diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

// Proxies of a class share all but the id of their node, and their text is made accordingly.
func TestStandaloneTextIsTheProxysOwn(t *testing.T) {
	s := shop(t, 3)
	pages, err := proxyPages(s.Output, nil, everyProxy)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(pages)
	for _, page := range pages {
		text, err := page.render(nil)
		if err != nil {
			t.Fatal(err)
		}
		id := model.ProxyID{Namespace: "shop", Name: path.Base(path.Dir(page.path))}
		whole, err := YAML(s.Output.Standalone(id))
		if err != nil {
			t.Fatal(err)
		}
		header, rest, _ := strings.Cut(string(text), "\n")
		if diff := cmp.Diff(string(whole), rest); diff != "" {
			t.Error(diff)
		}
		if !strings.HasPrefix(header, "# Proxy "+id.String()+", of class shop/") {
			t.Errorf("the header is %s", header)
		}
	}
}

func TestResourcesSayWhereTheyComeFrom(t *testing.T) {
	s := shop(t, 1)
	files, err := Files(s.Mesh, s.Output, s.Diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	for class := range s.Output.Classes.Values() {
		for _, file := range files {
			if path.Dir(file.Path) != "classes/"+class.Name || path.Base(file.Path) != "clusters.yaml" {
				continue
			}
			if n := bytes.Count(file.Bytes, []byte("\n---\n")); n != class.Clusters.Len()-1 {
				t.Errorf("%s has %d separators for %d clusters", file.Path, n, class.Clusters.Len())
			}
			for cluster := range class.Clusters.Values() {
				if !bytes.Contains(file.Bytes, []byte("# version: "+cluster.Version+"\n")) {
					t.Errorf("%s does not have the version of %s", file.Path, cluster.Name)
				}
			}
			if !bytes.Contains(file.Bytes, []byte("# from: ")) || !bytes.Contains(file.Bytes, []byte("Service shop/web\n")) {
				t.Errorf("%s does not say where it comes from:\n%s", file.Path, file.Bytes)
			}
		}
	}
}

func TestNamesThatLeadOutOfTheTreeAreRefused(t *testing.T) {
	for _, name := range []string{"..", ".", "", "../../etc", "a/b", "a\\b", "/etc", "a\x00b", ".fsmc", "x.fsmc-new"} {
		if folder, err := ProxyFolder(model.ProxyID{Namespace: "shop", Name: name}); err == nil {
			t.Errorf("pod %q would be written to %s", name, folder)
		}
		if folder, err := ProxyFolder(model.ProxyID{Namespace: name, Name: "web"}); err == nil {
			t.Errorf("namespace %q would be written to %s", name, folder)
		}
		if folder, err := ClassFolder("shop/" + name); err == nil {
			t.Errorf("class %q would be written to %s", name, folder)
		}
	}
	bad := snapshot(model.New(model.Parts{Proxies: model.ListOf(proxy("..", "100.64.0.1", model.Identity{Namespace: "shop", ServiceAccount: "x"}))}))
	if _, err := Files(bad.Mesh, bad.Output, nil); err == nil {
		t.Error("Files takes a proxy called ..")
	}
	if _, err := (&Sink{Folder: t.TempDir(), Credentials: &Credentials{}}).Write(t.Context(), bad); err == nil {
		t.Error("Write takes a proxy called ..")
	}
}

func TestBrokenResourcesAreAnError(t *testing.T) {
	class := &compiler.Class{
		Name: "shop/web~0", Clusters: model.ListOf(&compiler.Resource{Type: "type.googleapis.com/no.such.Type", Name: "x"}),
		Proxies: model.ListOf(model.ProxyID{Namespace: "shop", Name: "web"}),
	}
	output := &compiler.Output{Classes: model.ListOf(class)}
	if _, err := Files(model.New(model.Parts{}), output, nil); err == nil {
		t.Error("a resource of an unknown type was written")
	}
	class.Clusters = model.List[*compiler.Resource]{}
	if _, err := Files(model.New(model.Parts{}), output, nil); err == nil {
		t.Error("a proxy without a configuration was written")
	}
}

func TestCommentsCannotBeEnded(t *testing.T) {
	if got := printable("Service a/b\nmalice: true"); strings.Contains(got, "\n") {
		t.Errorf("%q", got)
	}
}
