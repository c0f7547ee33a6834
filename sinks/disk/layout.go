package disk

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// page is a file whose path is known before its text is: all names are checked before anything is written, and a text
// is in memory only while it is compared and written.
type page struct {
	path string
	// render appends the text.
	render func(b []byte) ([]byte, error)
}

// layout is every page of the proxies chosen but their own: the mesh, the diagnostics, the classes.
func layout(mesh *model.Mesh, output *compiler.Output, diagnostics []model.Diagnostic, chosen func(model.ProxyID) bool) ([]page, error) {
	pages := []page{
		{"mesh.yaml", func(b []byte) ([]byte, error) { return appendValue(b, mesh) }},
		{"diagnostics.yaml", func(b []byte) ([]byte, error) { return appendValue(b, model.ListOf(diagnostics...)) }},
	}
	texts := newResourceTexts(output)
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
	for _, kind := range kindsOf(class) {
		if kind.resources.Len() > 0 {
			pages = append(pages, page{folder + "/" + kind.name + ".yaml", func(b []byte) ([]byte, error) { return texts.join(b, kind.resources) }})
		}
	}
	if class.Secrets.Len() > 0 {
		pages = append(pages, page{folder + "/secrets.yaml", func(b []byte) ([]byte, error) { return appendSlots(b, class.Secrets) }})
	}
	return pages
}

// kind is what a class has of one kind of resource.
type kind struct {
	name      string
	resources model.List[*compiler.Resource]
}

func kindsOf(class *compiler.Class) []kind {
	return []kind{{"listeners", class.Listeners}, {"routes", class.Routes}, {"clusters", class.Clusters}, {"endpoints", class.Endpoints}}
}

// everyProxy chooses all proxies.
func everyProxy(model.ProxyID) bool { return true }

// proxyPages are the configurations of the proxies chosen: all of it, or what leads to a control plane.
func proxyPages(output *compiler.Output, from *compiler.ControlPlane, chosen func(model.ProxyID) bool) ([]page, error) {
	var pages []page
	shapes := newShapes()
	for class := range output.Classes.Values() {
		texts := &bootstrapTexts{class: class.Name, several: class.Proxies.Len() > 1, bootstrap: output.Standalone, shapes: shapes}
		if from != nil {
			texts.class = ""
			texts.bootstrap = func(id model.ProxyID) *bootstrapv3.Bootstrap { return output.Bootstrap(id, *from) }
		}
		for id := range class.Proxies.Values() {
			if !chosen(id) {
				continue
			}
			folder, err := ProxyFolder(id)
			if err != nil {
				return nil, err
			}
			pages = append(pages, page{folder + "/" + ConfigFile, func(b []byte) ([]byte, error) { return texts.of(b, id) }})
			if from != nil && from.Watched {
				pages = append(pages, streamSecretPages(folder)...)
			}
		}
	}
	return pages, nil
}

// streamSecretPages say where the certificate of a proxy's stream is.
func streamSecretPages(folder string) []page {
	return []page{
		{path.Join(folder, compiler.CertificateSecretFile), func(b []byte) ([]byte, error) { return appendSecret(b, compiler.CertificateSecret()) }},
		{path.Join(folder, compiler.TrustSecretFile), func(b []byte) ([]byte, error) { return appendSecret(b, compiler.TrustSecret()) }},
	}
}

// appendSecret appends a file that Envoy takes for an answer of SDS.
func appendSecret(b []byte, secret *tlsv3.Secret) ([]byte, error) {
	resource, err := anypb.New(secret)
	if err != nil {
		return nil, err
	}
	return appendValue(b, &discoveryv3.DiscoveryResponse{Resources: []*anypb.Any{resource}})
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
