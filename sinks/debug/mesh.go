package debug

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// ofMesh is a page about the mesh of the newest snapshot.
func (o Options) ofMesh(value func(*model.Mesh) any) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) {
		mesh := o.Snapshot().Mesh
		if mesh == nil {
			return nil, refusal{http.StatusServiceUnavailable, "There is no mesh yet: the source was not read for the first time."}
		}
		return value(mesh), nil
	}
}

func wholeMesh(m *model.Mesh) any { return m }

func settings(m *model.Mesh) any { return m.Settings() }

// policySheet is what the mesh allows and how it splits.
type policySheet struct {
	// Permissive says that permissions are not looked at.
	Permissive  bool                `json:"permissive"`
	Permissions []*model.Permission `json:"permissions"`
	Splits      []*model.Split      `json:"splits"`
}

func policies(m *model.Mesh) any {
	return policySheet{
		m.Settings().Permissive,
		slices.AppendSeq([]*model.Permission{}, m.Permissions()),
		slices.AppendSeq([]*model.Split{}, m.Splits()),
	}
}

func featureFlags(m *model.Mesh) any {
	on := map[string]bool{}
	for flag := range m.Settings().ControlPlane.Flags.Values() {
		on[flag] = true
	}
	return on
}

func namespaces(m *model.Mesh) any {
	names := map[string]bool{}
	for proxy := range m.Proxies() {
		names[proxy.ID.Namespace] = true
	}
	for service := range m.Services() {
		names[service.ID.Namespace] = true
	}
	return map[string][]string{"namespaces": slices.Sorted(maps.Keys(names))}
}

// diagnostics are those of the newest snapshot, the worst first; ?level= asks for one level.
func (o Options) diagnostics(r *http.Request) (any, error) {
	level := r.URL.Query().Get("level")
	found := []model.Diagnostic{}
	for _, d := range o.Snapshot().Diagnostics {
		if level == "" || level == string(d.Level) {
			found = append(found, d)
		}
	}
	slices.SortStableFunc(found, func(a, b model.Diagnostic) int { return cmp.Compare(a.Level.Rank(), b.Level.Rank()) })
	return found, nil
}

// certificates are those in use, the first to end first.
func (o Options) certificates(*http.Request) (any, error) {
	all := append([]sinks.CertificateStatus{}, o.Certificates()...)
	slices.SortStableFunc(all, func(a, b sinks.CertificateStatus) int {
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), a.Identity.Compare(b.Identity))
	})
	return all, nil
}
