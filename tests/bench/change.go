package main

import (
	"fmt"
	"iter"
	"strings"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// change is what differs between two outputs for the connected proxies, by class.
type change struct {
	classes map[string]difference
	// proxies is how many get something, resources how many resources they get in all.
	proxies, resources int
}

// difference is what one class gets, by type, and how many proxies of it are connected.
type difference struct {
	puts    map[string]model.List[*compiler.Resource]
	removes map[string][]string
	proxies int
}

// changeOf compares two outputs that have the same classes.
func changeOf(before, after *compiler.Output, proxies map[string]int) (change, error) {
	old := map[string]*compiler.Class{}
	for class := range before.Classes.Values() {
		old[class.Name] = class
	}
	c := change{classes: map[string]difference{}}
	for class := range after.Classes.Values() {
		from := old[class.Name]
		if from == nil {
			return c, fmt.Errorf("class %s is another after the edit", class.Name)
		}
		d := differenceOf(from, class)
		if d.proxies = proxies[class.Name]; d.proxies == 0 || len(d.puts) == 0 {
			continue
		}
		c.classes[class.Name] = d
		c.proxies += d.proxies
		for url, list := range d.puts {
			c.resources += d.proxies * (list.Len() + len(d.removes[url]))
		}
	}
	return c, nil
}

func differenceOf(from, to *compiler.Class) difference {
	d := difference{puts: map[string]model.List[*compiler.Resource]{}, removes: map[string][]string{}}
	before := listsOf(from)
	for url, list := range listsOf(to) {
		versions := map[string]string{}
		for r := range before[url].Values() {
			versions[r.Name] = r.Version
		}
		var puts []*compiler.Resource
		for r := range list.Values() {
			if versions[r.Name] != r.Version {
				puts = append(puts, r)
			}
			delete(versions, r.Name)
		}
		if url == clusterURL || url == listenerURL {
			for name := range versions {
				d.removes[url] = append(d.removes[url], name)
			}
		}
		if len(puts)+len(d.removes[url]) > 0 {
			d.puts[url] = model.ListOf(puts...)
		}
	}
	return d
}

func resourcesOf(list iter.Seq[*compiler.Resource]) []*discoveryv3.Resource {
	var all []*discoveryv3.Resource
	for r := range list {
		all = append(all, resourceOf(r))
	}
	return all
}

func resourceOf(r *compiler.Resource) *discoveryv3.Resource {
	return &discoveryv3.Resource{Name: r.Name, Version: r.Version, Resource: &anypb.Any{TypeUrl: r.Type, Value: r.Bytes}}
}

func proxyID(node string) (model.ProxyID, error) {
	namespace, name, ok := strings.Cut(node, "/")
	if !ok {
		return model.ProxyID{}, fmt.Errorf("%q is no node id", node)
	}
	return model.ProxyID{Namespace: namespace, Name: name}, nil
}
