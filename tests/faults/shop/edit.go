package shop

import (
	"embed"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// manifests are the mesh as it is without edits.
//
//go:embed manifests
var manifests embed.FS

// The documents that come and go.
const (
	guestMayMore = `
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: guest-web-too, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: web, namespace: shop}
  sources: [{kind: ServiceAccount, name: guest, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: web, matches: [everything]}]
`
	// broken is a policy that admits nothing, as what it names is not there.
	broken = `
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: guest-lines, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: lines, namespace: shop}
  sources: [{kind: ServiceAccount, name: guest, namespace: shop}]
  rules: [{kind: TCPRoute, name: no-such-route}]
`
	anotherService = `
---
apiVersion: v1
kind: Service
metadata: {name: web-too, namespace: shop}
spec: {clusterIP: 198.18.0.9, selector: {app: web}, ports: [{port: 81, targetPort: 8080, appProtocol: http}]}
`
	root = `---
apiVersion: config.flomesh.io/v1alpha2
kind: MeshRootCertificate
metadata: {name: %[1]s, namespace: fsm-system}
spec:
  role: active
  provider: {tresor: {ca: {secretRef: {namespace: fsm-system, name: %[1]s}}}}
`
)

// Folder is the manifests of the shop, which are edited.
type Folder struct {
	path   string
	random *rand.Rand
	// base are the files without edits.
	base  map[string]string
	roots int
	// torn says that the policies are half written.
	torn bool
}

// New writes the manifests. The same seed makes the same edits.
func New(folder string, seed uint64) (*Folder, error) {
	f := &Folder{
		path: folder, base: map[string]string{},
		random: rand.New(rand.NewPCG(seed, 1)), // #nosec G404 -- it has to be the same each time
	}
	files, err := fs.ReadDir(manifests, "manifests")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := fs.ReadFile(manifests, path.Join("manifests", file.Name()))
		if err != nil {
			return nil, err
		}
		f.base[file.Name()] = string(text)
	}
	return f, f.Return()
}

// Return writes the manifests as they were without edits, but for the root, which stays.
func (f *Folder) Return() error {
	f.torn = false
	for name, text := range f.base {
		if err := f.write(name, text); err != nil {
			return err
		}
	}
	return nil
}

// Mend writes what is half written.
func (f *Folder) Mend() error {
	if !f.torn {
		return nil
	}
	f.torn = false
	return f.write("policy.yaml", f.base["policy.yaml"])
}

// Edit makes a random edit that takes nothing from those who ask, and says what it was.
func (f *Folder) Edit() (string, error) {
	switch f.random.IntN(4) {
	case 0:
		weight := fmt.Sprint("web-v1, weight: ", f.random.IntN(100))
		return weight, f.write("split.yaml", strings.Replace(f.base["split.yaml"], "web-v1, weight: 50", weight, 1))
	case 1:
		n := f.random.IntN(4)
		f.torn = n == 3
		extra := []string{"", guestMayMore, broken, "\n---\nthis: [is not YAML"}[n]
		return []string{"no more policies", "the guest may more", "a broken policy", "a file half written"}[n], f.write("policy.yaml", f.base["policy.yaml"]+extra)
	case 2:
		text := f.base["either.yaml"]
		which := f.random.IntN(3)
		if which > 0 {
			text = strings.Replace(text, fmt.Sprintf("10.%d], conditions: {ready: true}", which), fmt.Sprintf("10.%d], conditions: {ready: false}", which), 1)
		}
		return fmt.Sprintf("ready: all but %d", which), f.write("either.yaml", text)
	}
	n := f.random.IntN(2)
	return []string{"no more Services", "another Service"}[n], f.write("servers.yaml", f.base["servers.yaml"]+[]string{"", anotherService}[n])
}

// Turn has another root sign, in turns one of two.
func (f *Folder) Turn() (string, error) {
	name := []string{"oak", "birch"}[f.roots%2]
	f.roots++
	return name + " signs", f.write("roots.yaml", fmt.Sprintf(root, name))
}

// write puts a file in the place of another, as editors do.
func (f *Folder) write(name, text string) error {
	whole := filepath.Join(f.path, name)
	if err := os.WriteFile(whole+"~", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(whole+"~", whole)
}
