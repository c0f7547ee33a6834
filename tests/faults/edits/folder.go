package edits

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// Folder is a folder of manifests, one file for each application and one for each namespace.
type Folder struct {
	path   string
	graph  shapes.Graph
	random *rand.Rand
	apps   []app
	config config
	// ready is which of the pods are ready whose addresses and endpoints are given.
	ready [2]bool
	// written are the files as they are, and texts those that are to be, each with what it was made of.
	written map[string][]byte
	texts   map[string]made
}

// made is a text and what it was made of.
type made struct {
	of   string
	text []byte
}

// app is what of an application is not in the graph.
type app struct {
	replicas int
	weights  [2]int
}

// config is what of the MeshConfig is edited.
type config struct {
	egress bool
	hours  int
}

// Most is how many replicas a Deployment has at most.
const Most = 3

// New writes the manifests of a graph, with two replicas of each Deployment.
func New(path string, graph shapes.Graph, seed uint64) (*Folder, error) {
	f := &Folder{
		path: path, graph: graph, random: rand.New(rand.NewPCG(seed, 0)), // #nosec G404 -- it has to be the same each time
		apps: make([]app, len(graph.Apps)), config: config{hours: 24}, ready: [2]bool{true, true}, written: map[string][]byte{}, texts: map[string]made{},
	}
	f.graph.Apps = slices.Clone(graph.Apps)
	for i := range f.apps {
		f.apps[i] = app{replicas: 2, weights: [2]int{90, 10}}
	}
	return f, f.Write()
}

// Mix makes so many random edits that nobody sees, and writes what comes of them: after as many as there are applications,
// several times, a mesh is as it will be after any number, and does not grow with them.
func (f *Folder) Mix(edits int) error {
	for range edits {
		f.change()
	}
	return f.Write()
}

// State is a state of the folder, to come back to.
type State struct {
	apps   []shapes.App
	own    []app
	config config
	ready  [2]bool
}

// State is that of now.
func (f *Folder) State() State {
	return State{slices.Clone(f.graph.Apps), slices.Clone(f.apps), f.config, f.ready}
}

// Return writes a state of before.
func (f *Folder) Return(s State) error {
	f.graph.Apps, f.apps, f.config, f.ready = slices.Clone(s.apps), slices.Clone(s.own), s.config, s.ready
	return f.Write()
}

// Edit makes one random edit, writes it, and says what it was.
func (f *Folder) Edit() (string, error) {
	what := f.change()
	if f.random.IntN(20) == 0 {
		return "a file half written, after: " + what, f.tear()
	}
	return what, f.Write()
}

// change changes what is to be written.
func (f *Folder) change() string {
	switch f.random.IntN(50) {
	case 0:
		return f.configure()
	case 1, 2:
		f.ready = [2]bool{f.random.IntN(2) == 0, f.random.IntN(2) == 0}
		return fmt.Sprintf("ready: %v", f.ready)
	}
	i := f.random.IntN(len(f.apps))
	a, own := &f.graph.Apps[i], &f.apps[i]
	switch f.random.IntN(6) {
	case 0:
		own.replicas = 1 + f.random.IntN(Most)
		return fmt.Sprintf("%s has %d replicas", a.Name, own.replicas)
	case 1:
		own.weights = [2]int{f.random.IntN(100), 1 + f.random.IntN(100)}
		return fmt.Sprintf("the split of %s is %v", a.Name, own.weights)
	case 2:
		a.Matches = f.random.IntN(6)
		return fmt.Sprintf("%s has %d matches", a.Name, a.Matches)
	case 3:
		if f.random.IntN(4) == 0 {
			a.Versioned = !a.Versioned && !a.ClientOnly && f.versioned() < len(f.apps)/10
			return fmt.Sprintf("%s is versioned: %t", a.Name, a.Versioned)
		}
	}
	return f.call(a, f.random.IntN(len(f.apps)))
}

// configure changes the MeshConfig: what goes out of the mesh, which concerns every sidecar, or how long certificates are
// valid, at which every one is issued anew.
func (f *Folder) configure() string {
	if f.random.IntN(2) == 0 {
		f.config.egress = !f.config.egress
		return fmt.Sprintf("egress is allowed: %t", f.config.egress)
	}
	f.config.hours = 24 + f.random.IntN(24)
	return fmt.Sprintf("certificates are valid for %d hours", f.config.hours)
}

// versioned is how many applications have two versions. A tenth of all at most has, so that the mesh does not grow with the
// number of edits.
func (f *Folder) versioned() int {
	n := 0
	for _, a := range f.graph.Apps {
		if a.Versioned {
			n++
		}
	}
	return n
}

// mostCalls is how many others an application calls at most.
const mostCalls = 5

// call has an application call another one, or not any more.
func (f *Folder) call(a *shapes.App, to int) string {
	if f.graph.Apps[to].ClientOnly || f.graph.Apps[to].Name == a.Name {
		return "nothing"
	}
	if len(a.Calls) > mostCalls {
		to = a.Calls[f.random.IntN(len(a.Calls))]
	}
	at, calls := slices.BinarySearch(a.Calls, to)
	a.Calls = slices.Clone(a.Calls)
	if calls {
		a.Calls = slices.Delete(a.Calls, at, at+1)
		return fmt.Sprintf("%s may not call %s", a.Name, f.graph.Apps[to].Name)
	}
	a.Calls = slices.Insert(a.Calls, at, to)
	return fmt.Sprintf("%s may call %s", a.Name, f.graph.Apps[to].Name)
}

// Objects are what is in the folder when no file is half written.
func (f *Folder) Objects() sources.Objects {
	o := f.graph.Manifests(1)
	for _, c := range o.MeshConfigs {
		c.Spec.Traffic.EnableEgress = f.config.egress
		c.Spec.Certificate.ServiceCertValidityDuration = fmt.Sprintf("%dh", f.config.hours)
	}
	for i, a := range f.graph.Apps {
		for _, d := range o.Deployments {
			if d.Namespace == a.Namespace && d.Labels["app"] == a.Name {
				replicas := int32(f.apps[i].replicas)
				d.Spec.Replicas = &replicas
			}
		}
		for _, s := range o.TrafficSplits {
			if s.Namespace == a.Namespace && s.Name == a.Name {
				for k := range s.Spec.Backends {
					s.Spec.Backends[k].Weight = f.apps[i].weights[k]
				}
			}
		}
	}
	return o
}

// Nodes are the node ids of every pod that there may be after any edit.
func (f *Folder) Nodes() []string {
	all := []string{givenNamespace + "/pod-0", givenNamespace + "/pod-1"}
	for _, a := range f.graph.Apps {
		deployments := []string{a.Name}
		if !a.ClientOnly {
			deployments = append(deployments, a.Name+"-v1", a.Name+"-v2")
		}
		for _, d := range deployments {
			for i := range Most {
				all = append(all, fmt.Sprintf("%s/%s-%d", a.Namespace, d, i))
			}
		}
	}
	return all
}

// Write writes the files that are not as they are to be.
func (f *Folder) Write() error {
	for name, text := range f.files() {
		if bytes.Equal(text, f.written[name]) {
			continue
		}
		if err := replace(filepath.Join(f.path, name), text); err != nil {
			return err
		}
		f.written[name] = text
	}
	return nil
}

// tear writes the half of one of the files that are to be written, in place, as somebody does who is not done yet.
func (f *Folder) tear() error {
	files := f.files()
	for _, name := range f.names(files) {
		text := files[name]
		if bytes.Equal(text, f.written[name]) {
			continue
		}
		text = append(slices.Clone(text[:len(text)/2]), "\n  }broken: ["...)
		f.written[name] = text
		return os.WriteFile(filepath.Join(f.path, name), text, 0o600)
	}
	return nil
}

func (f *Folder) names(files map[string][]byte) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// files are the texts of all files. To write YAML takes longer than all the rest, so texts are kept.
func (f *Folder) files() map[string][]byte {
	files := map[string][]byte{}
	ingredients := f.ingredients()
	for name, o := range byOwner(f.Objects()) {
		of := fmt.Sprint(ingredients[name], len(o.Namespaces), len(o.HTTPRouteGroups), len(o.TrafficTargets))
		kept, ok := f.texts[name]
		if !ok || kept.of != of {
			kept = made{of, shapes.YAML(o)}
			f.texts[name] = kept
		}
		files[name+".yaml"] = kept.text
	}
	files["ready.yaml"] = given(f.graph.Apps[0], f.ready)
	return files
}

// configFile is the file of the MeshConfig, without its suffix.
const configFile = sources.ControlPlaneNamespace + "." + sources.MeshConfigName

// ingredients are what the file of each application is made of.
func (f *Folder) ingredients() map[string]string {
	callers := make([][]int, len(f.graph.Apps))
	for from, a := range f.graph.Apps {
		for _, to := range a.Calls {
			callers[to] = append(callers[to], from)
		}
	}
	all := map[string]string{configFile: fmt.Sprint(f.config)}
	for i, a := range f.graph.Apps {
		all[a.Namespace+"."+a.Name] = fmt.Sprint(a.Matches, a.Versioned, f.apps[i], callers[i])
	}
	return all
}

// byOwner divides objects by the application that they belong to, or else their namespace.
func byOwner(o sources.Objects) map[string]sources.Objects {
	parts := map[string]sources.Objects{}
	divide(parts, o.MeshConfigs, func(o *sources.Objects) any { return &o.MeshConfigs })
	divide(parts, o.Namespaces, func(o *sources.Objects) any { return &o.Namespaces })
	divide(parts, o.ServiceAccounts, func(o *sources.Objects) any { return &o.ServiceAccounts })
	divide(parts, o.Services, func(o *sources.Objects) any { return &o.Services })
	divide(parts, o.Deployments, func(o *sources.Objects) any { return &o.Deployments })
	divide(parts, o.TrafficTargets, func(o *sources.Objects) any { return &o.TrafficTargets })
	divide(parts, o.HTTPRouteGroups, func(o *sources.Objects) any { return &o.HTTPRouteGroups })
	divide(parts, o.TrafficSplits, func(o *sources.Objects) any { return &o.TrafficSplits })
	return parts
}

// divide adds each object to the part of its application, whose name it has, or that with a version.
func divide[T interface {
	GetNamespace() string
	GetName() string
}](parts map[string]sources.Objects, objects []T, of func(*sources.Objects) any) {
	for _, o := range objects {
		owner := strings.TrimSuffix(strings.TrimSuffix(o.GetName(), "-v1"), "-v2")
		if o.GetNamespace() != "" {
			owner = o.GetNamespace() + "." + owner
		}
		part := parts[owner]
		list := of(&part).(*[]T)
		*list = append(*list, o)
		parts[owner] = part
	}
}

// replace puts a file in the place of another, as editors do.
func replace(name string, text []byte) error {
	if err := os.WriteFile(name+"~", text, 0o600); err != nil {
		return err
	}
	return os.Rename(name+"~", name)
}
