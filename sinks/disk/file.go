package disk

import (
	"iter"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// File is a file of the tree. Path is relative to the tree's folder, with slashes.
type File struct {
	Path  string
	Bytes []byte
}

// Files is the whole tree of a mesh, certificates aside, in order of the paths' rooms: mesh.yaml and diagnostics.yaml,
// the classes, the proxies. It fails for a name that cannot be a file's.
func Files(mesh *model.Mesh, output *compiler.Output, diagnostics []model.Diagnostic) ([]File, error) {
	pages, err := layout(mesh, output, diagnostics, everyProxy)
	if err != nil {
		return nil, err
	}
	proxies, err := proxyPages(output, nil, everyProxy)
	if err != nil {
		return nil, err
	}
	files := make([]File, 0, len(pages)+len(proxies))
	for _, page := range append(pages, proxies...) {
		text, err := page.render(nil)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: page.path, Bytes: text})
	}
	return files, nil
}

// Configs iterates over the static configurations of the proxies chosen, each as it stands in the tree.
func Configs(output *compiler.Output, chosen func(model.ProxyID) bool) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		pages, err := proxyPages(output, nil, chosen)
		if err != nil {
			yield(File{}, err)
			return
		}
		for _, page := range pages {
			text, err := page.render(nil)
			if !yield(File{Path: page.path, Bytes: text}, err) || err != nil {
				return
			}
		}
	}
}
