package compiler

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// edited is a world with one thing changed. Everything else is the same, slices included.
func (w world) edited(t *rapid.T) world {
	w.workloads, w.services = slices.Clone(w.workloads), slices.Clone(w.services)
	w.permissions, w.splits = slices.Clone(w.permissions), slices.Clone(w.splits)
	switch pick(t, "edit", []string{
		"ready", "ready", "ready", "workload", "replicas", "service", "service", "ports", "strangers", "selection",
		"permission", "permission", "permission", "split", "split", "weights", "settings", "control plane",
	}) {
	case "ready":
		load := pickOne(t, w.workloads)
		load.ready = slices.Clone(load.ready)
		if i := rapid.IntRange(0, 3).Draw(t, "pod"); i < len(load.ready) {
			load.ready[i] = !load.ready[i]
		}
	case "replicas":
		load := pickOne(t, w.workloads)
		load.ready = append(slices.Clone(load.ready), true)[:rapid.IntRange(0, min(4, len(load.ready)+1)).Draw(t, "replicas")]
	case "workload":
		w.editWorkload(t)
	case "service":
		w.editService(t)
	case "ports":
		w.editPort(t)
	case "strangers":
		if s := pickOne(t, w.services); s != nil {
			s.strangers = rapid.IntRange(0, 2).Draw(t, "strangers")
		}
	case "selection":
		if s := pickOne(t, w.services); s != nil {
			s.selected = rapid.SliceOfNDistinct(rapid.IntRange(0, len(w.workloads)-1), 0, -1, rapid.ID).Draw(t, "selected")
		}
	case "permission":
		w.permissions = replaced(t, w.permissions, drawPermission)
	case "split":
		names := append(w.serviceIDs(), model.ServiceID{Namespace: "a", Name: "missing"})
		w.splits = replaced(t, w.splits, func(t *rapid.T, i int) *model.Split { return drawSplit(t, i, names) })
	case "weights":
		w.editWeights(t)
	case "settings":
		w.settings = drawSettings(t)
	case "control plane":
		w.settings.ControlPlane.Resync = time.Duration(rapid.IntRange(0, 3).Draw(t, "resync"))
		w.settings.Roots = model.ListOf(model.Root{Name: pick(t, "root", []string{"a", "b"})})
	}
	return w
}

// pickOne is an element of a slice, to be edited; nil when there is none.
func pickOne[T any](t *rapid.T, from []T) *T {
	if len(from) == 0 {
		return nil
	}
	return &from[rapid.IntRange(0, len(from)-1).Draw(t, "which")]
}

// replaced is a list with an element more, or less, or another in its place.
func replaced[T any](t *rapid.T, list []T, draw func(*rapid.T, int) T) []T {
	i := rapid.IntRange(0, len(list)).Draw(t, "which")
	switch {
	case i == len(list):
		return append(list, draw(t, i))
	case chance(t, "remove"):
		return slices.Delete(list, i, i+1)
	}
	list[i] = draw(t, i)
	return list
}

func (w world) editWorkload(t *rapid.T) {
	load := pickOne(t, w.workloads)
	switch pick(t, "what", []string{"sidecar", "metrics", "families", "account", "stateful", "shift"}) {
	case "sidecar":
		load.sidecar = !load.sidecar
	case "metrics":
		load.metrics = !load.metrics
	case "families":
		load.families = pick(t, "families", anyFamilies())
	case "account":
		load.identity.ServiceAccount = pick(t, "account", accounts)
	case "stateful":
		load.stateful = !load.stateful
	case "shift":
		load.shift = 1 - load.shift
	}
}

func (w *world) editService(t *rapid.T) {
	i := rapid.IntRange(0, len(w.services)).Draw(t, "which")
	if i < len(w.services) && chance(t, "remove") {
		w.services = slices.Delete(w.services, i, i+1)
		return
	}
	s := drawService(t, i, w.workloads)
	w.services = append(slices.DeleteFunc(w.services, func(other catalogued) bool { return other.id == s.id }), s)
}

func (w world) editPort(t *rapid.T) {
	s := pickOne(t, w.services)
	if s == nil {
		return
	}
	s.ports = slices.Clone(s.ports)
	p := pickOne(t, s.ports)
	switch pick(t, "what", []string{"protocol", "target", "named", "headless", "created", "addresses"}) {
	case "protocol":
		p.protocol = pick(t, "protocol", protocols)
	case "target":
		p.target = pick(t, "target", targetPorts)
	case "named":
		p.named = !p.named
	case "headless":
		s.headless = !s.headless
	case "created":
		s.created = pick(t, "created", births)
	case "addresses":
		s.addresses = drawClusterIPs(t, rapid.IntRange(0, 5).Draw(t, "address"))
	}
}

func (w world) editWeights(t *rapid.T) {
	if len(w.splits) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.splits)-1).Draw(t, "which")
	s := *w.splits[i]
	var backends []model.Backend
	for b := range s.Backends.Values() {
		b.Weight = pick(t, "weight", []uint32{0, 1, 50})
		backends = append(backends, b)
	}
	s.Backends = model.ListOf(backends...)
	w.splits[i] = &s
}

// sharing are parts in which what is equal to something in a mesh is the same pointer; now and then it is not.
func sharing(t *rapid.T, mesh *model.Mesh, parts model.Parts) model.Parts {
	careless := rarely(t, "made anew")
	keep := func(equal bool) bool { return equal && (!careless || !rarely(t, "this one")) }
	parts.Services = mapped(parts.Services, func(s *model.Service) *model.Service {
		if old, ok := mesh.Service(s.ID); ok && keep(reflect.DeepEqual(old, s)) {
			return old
		}
		return s
	})
	parts.Proxies = mapped(parts.Proxies, func(p *model.Proxy) *model.Proxy {
		if old, ok := mesh.Proxy(p.ID); ok && keep(reflect.DeepEqual(old, p)) {
			return old
		}
		return p
	})
	return parts
}

func mapped[T any](list model.List[*T], change func(*T) *T) model.List[*T] {
	var items []*T
	for item := range list.Values() {
		items = append(items, change(item))
	}
	return model.ListOf(items...)
}

// editTo is the edit that makes the mesh of some parts of another mesh.
func editTo(mesh *model.Mesh, parts model.Parts) model.Edit {
	next := model.New(parts)
	e := model.Edit{Settings: parts.Settings, NewSettings: !reflect.DeepEqual(mesh.Settings(), parts.Settings)}
	var services []*model.Service
	var proxies []*model.Proxy
	var permissions []*model.Permission
	var splits []*model.Split
	var d struct {
		services    []model.ServiceID
		proxies     []model.ProxyID
		permissions []model.PermissionID
	}
	for was, now := range next.ServicesSince(mesh) {
		if now == nil {
			d.services = append(d.services, was.ID)
		} else {
			services = append(services, now)
		}
	}
	for was, now := range next.ProxiesSince(mesh) {
		if now == nil {
			d.proxies = append(d.proxies, was.ID)
		} else {
			proxies = append(proxies, now)
		}
	}
	for was, now := range next.PermissionsSince(mesh) {
		if now == nil {
			d.permissions = append(d.permissions, model.PermissionID{Namespace: was.Namespace, Name: was.Name})
		} else {
			permissions = append(permissions, now)
		}
	}
	roots := slices.Collect(next.SplitRootsSince(mesh))
	for _, root := range roots {
		splits = slices.AppendSeq(splits, next.SplitsOf(root))
	}
	e.Services, e.Proxies = model.ListOf(services...), model.ListOf(proxies...)
	e.Permissions, e.Splits = model.ListOf(permissions...), model.ListOf(splits...)
	e.Dropped = model.Dropped{
		Services: model.ListOf(d.services...), Proxies: model.ListOf(d.proxies...),
		Permissions: model.ListOf(d.permissions...), Splits: model.ListOf(roots...),
	}
	return e
}

// summary is everything about an output but the work that it was, as lines. Bytes are told by their hashes.
func summary(o *Output, diagnostics []model.Diagnostic) []string {
	var text []string
	for c := range o.Classes.Values() {
		text = append(text, fmt.Sprintf("class %s of %s: %v %v", c.Name, c.Identity, slices.Collect(c.Secrets.Values()), slices.Collect(c.Proxies.Values())))
		for _, list := range []model.List[*Resource]{c.Listeners, c.Routes, c.Clusters, c.Endpoints} {
			for r := range list.Values() {
				text = append(text, fmt.Sprintf("%s %s %s %v %q", r.Type, r.Name, r.Version, r.From, r.Uses))
			}
		}
	}
	for _, d := range model.SortDiagnostics(diagnostics) {
		text = append(text, fmt.Sprint(d))
	}
	return text
}
