package controlplane

import (
	"context"
	"fmt"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/sources/files"
)

// Compile makes a round of manifests without anything from before.
func Compile(paths ...string) (*live.Round, error) {
	result, err := files.NewReader(paths).Read()
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	result.Objects.MeshName = sources.DefaultMeshName
	pipeline := live.Pipeline{Now: time.Now, Assume: true}
	return pipeline.Next(context.Background(), live.Input{Objects: result.Objects, Diagnostics: result.Diagnostics}, nil), nil
}

// Whole is what each sidecar is to have: by its node id, the versions by kind and name, as Sidecar.Has tells them.
func Whole(r *live.Round) map[string]map[string]string {
	all := map[string]map[string]string{}
	for class := range r.Output.Classes.Values() {
		versions := versionsOf(class)
		for id := range class.Proxies.Values() {
			all[id.String()] = versions
		}
	}
	return all
}

func versionsOf(class *compiler.Class) map[string]string {
	versions := map[string]string{}
	add := func(kind string, list model.List[*compiler.Resource]) {
		for r := range list.Values() {
			versions[kind+" "+r.Name] = r.Version
		}
	}
	add("clusters", class.Clusters)
	add("endpoints", class.Endpoints)
	add("listeners", class.Listeners)
	add("routes", class.Routes)
	for slot := range class.Secrets.Values() {
		versions["secrets "+slot.Name] = ""
	}
	return versions
}
