package debug

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// proxyRow is one proxy of the list: of the mesh, connected, or both.
type proxyRow struct {
	ID       model.ProxyID  `json:"id"`
	Identity model.Identity `json:"identity"`
	// Class is empty when the mesh does not have the proxy.
	Class string `json:"class,omitempty"`
	// Connected says whether it has a stream; what follows is empty otherwise.
	Connected   bool      `json:"connected"`
	Protocol    string    `json:"protocol,omitempty"`
	Since       time.Time `json:"since,omitzero"`
	Settled     bool      `json:"settled"`
	Differences int       `json:"differences"`
}

// proxies are all proxies in order of their names.
func (o Options) proxies(*http.Request) (any, error) {
	rows := map[model.ProxyID]proxyRow{}
	if output := o.output(); output != nil {
		for class := range output.Classes.Values() {
			for id := range class.Proxies.Values() {
				rows[id] = proxyRow{ID: id, Identity: class.Identity, Class: class.Name}
			}
		}
	}
	for _, s := range o.statuses() {
		rows[s.ID] = proxyRow{s.ID, s.Identity, s.Class, true, s.Protocol, s.Since, s.Settled, differenceCount(s)}
	}
	list := make([]proxyRow, 0, len(rows))
	for _, row := range rows {
		list = append(list, row)
	}
	slices.SortFunc(list, func(a, b proxyRow) int { return a.ID.Compare(b.ID) })
	return list, nil
}

// output is what the newest snapshot compiles to; nil while there is none.
func (o Options) output() *compiler.Output {
	if o.Snapshot == nil {
		return nil
	}
	return o.Snapshot().Output
}

func (o Options) statuses() []sinks.ProxyStatus {
	if o.Proxies == nil {
		return nil
	}
	return o.Proxies()
}

func differenceCount(s sinks.ProxyStatus) int {
	n := 0
	for _, t := range s.Types {
		n += len(t.Differences)
	}
	return n
}

// differences are the proxies that do not have what they are to have, with what it is.
func (o Options) differences(*http.Request) (any, error) {
	unsettled := []sinks.ProxyStatus{}
	for _, s := range o.Proxies() {
		s.Types = slices.DeleteFunc(slices.Clone(s.Types), func(t sinks.TypeStatus) bool { return len(t.Differences) == 0 })
		if !s.Settled || len(s.Types) > 0 {
			unsettled = append(unsettled, s)
		}
	}
	slices.SortFunc(unsettled, func(a, b sinks.ProxyStatus) int { return a.ID.Compare(b.ID) })
	return unsettled, nil
}

// proxySheet is all about one proxy.
type proxySheet struct {
	proxyRow
	// Types are how far it is, type by type; empty unless it is connected.
	Types     []sinks.TypeStatus `json:"types,omitempty"`
	Resources []resourceRow      `json:"resources"`
	Slots     []compiler.Slot    `json:"slots"`
}

// resourceRow is one resource of a proxy's configuration.
type resourceRow struct {
	Type    string      `json:"type"`
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Bytes   int         `json:"bytes"`
	From    []model.Ref `json:"from"`
	Uses    []string    `json:"uses,omitempty"`
	// Difference is what the proxy has instead; nil if it has this or is not connected.
	Difference *sinks.Difference `json:"difference,omitempty"`
	// Config is the resource itself, in JSON; only there when one type is asked for.
	Config json.RawMessage `json:"config,omitempty"`
}

// proxy is the page of one proxy. ?type= asks for one type of resources and shows them in full, ?name= for one of them.
func (o Options) proxy(r *http.Request) (any, error) {
	id := model.ProxyID{Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")}
	kind, name := r.URL.Query().Get("type"), r.URL.Query().Get("name")
	if kind != "" && !slices.Contains(typeNames, kind) {
		return nil, refusal{http.StatusBadRequest, "type is clusters, endpoints, routes, listeners or secrets"}
	}
	sheet, class, ok := o.find(id)
	if !ok {
		return nil, refusal{http.StatusNotFound, "There is no proxy " + id.String() + ", and none of that name is connected."}
	}
	if class == nil {
		return sheet, nil
	}
	for _, t := range typesOf(class) {
		for resource := range t.resources.Values() {
			if kind != "" && kind != t.name || name != "" && name != resource.Name {
				continue
			}
			row, err := o.row(t.name, resource, sheet.Types, kind != "")
			if err != nil {
				return nil, err
			}
			sheet.Resources = append(sheet.Resources, row)
		}
	}
	if kind == "" || kind == secrets {
		sheet.Slots = slices.AppendSeq(sheet.Slots, class.Secrets.Values())
	}
	return sheet, nil
}

// find is a proxy of the mesh, of those that are connected, or of both.
func (o Options) find(id model.ProxyID) (proxySheet, *compiler.Class, bool) {
	sheet := proxySheet{proxyRow: proxyRow{ID: id}, Resources: []resourceRow{}, Slots: []compiler.Slot{}}
	var class *compiler.Class
	if output := o.output(); output != nil {
		class, _ = output.ClassOf(id)
	}
	if class != nil {
		sheet.Identity, sheet.Class = class.Identity, class.Name
	}
	statuses := o.statuses()
	i := slices.IndexFunc(statuses, func(s sinks.ProxyStatus) bool { return s.ID == id })
	if i >= 0 {
		s := statuses[i]
		sheet.proxyRow = proxyRow{s.ID, s.Identity, s.Class, true, s.Protocol, s.Since, s.Settled, differenceCount(s)}
		sheet.Types = s.Types
	}
	return sheet, class, class != nil || i >= 0
}

// row is a resource, with what the proxy has of it.
func (o Options) row(kind string, resource *compiler.Resource, status []sinks.TypeStatus, inFull bool) (resourceRow, error) {
	row := resourceRow{
		Type: kind, Name: resource.Name, Version: resource.Version, Bytes: len(resource.Bytes),
		From: slices.AppendSeq([]model.Ref{}, resource.From.Values()), Uses: slices.Collect(resource.Uses.Values()),
	}
	for _, t := range status {
		i := slices.IndexFunc(t.Differences, func(d sinks.Difference) bool { return t.Type == kind && d.Name == resource.Name })
		if i >= 0 {
			row.Difference = &t.Differences[i]
		}
	}
	if !inFull {
		return row, nil
	}
	message, err := resource.Message()
	if err != nil {
		return row, err
	}
	row.Config, err = o.JSON(message)
	return row, err
}

const secrets = "secrets"

// typeNames are the types of resources, as sinks.TypeStatus has them.
var typeNames = []string{"listeners", "routes", "clusters", "endpoints", secrets}

// resourcesOfType are the resources of a class that have one type.
type resourcesOfType struct {
	name      string
	resources model.List[*compiler.Resource]
}

func typesOf(class *compiler.Class) []resourcesOfType {
	return []resourcesOfType{
		{"listeners", class.Listeners}, {"routes", class.Routes}, {"clusters", class.Clusters}, {"endpoints", class.Endpoints},
	}
}
