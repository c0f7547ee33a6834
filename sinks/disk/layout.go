package disk

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// page is a file whose path is known before its text is: all names are checked before anything is written, and a text
// is in memory only while it is compared and written.
type page struct {
	path   string
	render func() ([]byte, error)
}

// layout is every page of the proxies chosen but their own: the mesh, the diagnostics, the classes.
func layout(mesh *model.Mesh, output *compiler.Output, diagnostics []model.Diagnostic, chosen func(model.ProxyID) bool) ([]page, error) {
	pages := []page{
		{"mesh.yaml", func() ([]byte, error) { return YAML(mesh) }},
		{"diagnostics.yaml", func() ([]byte, error) { return YAML(model.ListOf(diagnostics...)) }},
	}
	texts := &resourceTexts{}
	for class := range output.Classes.Values() {
		if !anyOf(class.Proxies, chosen) {
			continue
		}
		folder, err := ClassFolder(class.Name)
		if err != nil {
			return nil, err
		}
		pages = append(pages, classPages(folder, class, texts)...)
	}
	return pages, nil
}

func anyOf(proxies model.List[model.ProxyID], chosen func(model.ProxyID) bool) bool {
	for id := range proxies.Values() {
		if chosen(id) {
			return true
		}
	}
	return false
}

// classPages are the files of a class; a kind of resource that it does not have gets none.
func classPages(folder string, class *compiler.Class, texts *resourceTexts) []page {
	var pages []page
	for _, kind := range []struct {
		name      string
		resources model.List[*compiler.Resource]
	}{
		{"listeners", class.Listeners}, {"routes", class.Routes}, {"clusters", class.Clusters}, {"endpoints", class.Endpoints},
	} {
		if kind.resources.Len() > 0 {
			pages = append(pages, page{folder + "/" + kind.name + ".yaml", func() ([]byte, error) { return texts.join(kind.resources) }})
		}
	}
	if class.Secrets.Len() > 0 {
		pages = append(pages, page{folder + "/secrets.yaml", func() ([]byte, error) { return slotsText(class.Secrets) }})
	}
	return pages
}

// everyProxy chooses all proxies.
func everyProxy(model.ProxyID) bool { return true }

// proxyPages are the standalone configurations of the proxies chosen.
func proxyPages(output *compiler.Output, chosen func(model.ProxyID) bool) ([]page, error) {
	var pages []page
	for class := range output.Classes.Values() {
		texts := &standaloneTexts{output: output, class: class}
		for id := range class.Proxies.Values() {
			if !chosen(id) {
				continue
			}
			folder, err := ProxyFolder(id)
			if err != nil {
				return nil, err
			}
			pages = append(pages, page{folder + "/" + ConfigFile, func() ([]byte, error) { return texts.of(id) }})
		}
	}
	return pages, nil
}

// ConfigFile is the name of a proxy's static configuration in its folder.
const ConfigFile = "envoy.yaml"

// ProxyFolder is where the tree has the files of a proxy.
func ProxyFolder(id model.ProxyID) (string, error) {
	return folderOf("proxies", id.Namespace, id.Name)
}

// ClassFolder is where the tree has the files of a class. A class name has one slash.
func ClassFolder(name string) (string, error) {
	namespace, rest, _ := strings.Cut(name, "/")
	return folderOf("classes", namespace, rest)
}

// folderOf joins names that each are one folder. Kubernetes lets no other names through, but this is the last place
// that can see to it that none leads out of the tree.
func folderOf(room string, names ...string) (string, error) {
	for _, name := range names {
		if name == "." || !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\\x00") || isOurs(name) {
			return "", fmt.Errorf("%q cannot be the name of a folder under %s", name, room)
		}
	}
	return path.Join(append([]string{room}, names...)...), nil
}
