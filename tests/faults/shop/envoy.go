//go:build linux

package shop

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
)

// Allocated is how many bytes each sidecar has allocated, by pod.
func (s *Shop) Allocated(ctx context.Context) (map[string]float64, error) {
	pods, err := s.Pods(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for _, p := range pods {
		text, err := s.admin(ctx, p.Pod, "/memory")
		if err != nil {
			return nil, err
		}
		var memory struct{ Allocated string }
		if err := json.Unmarshal(text, &memory); err != nil {
			return nil, fmt.Errorf("memory of %s: %w", p.Pod, err)
		}
		if all[p.Pod], err = strconv.ParseFloat(memory.Allocated, 64); err != nil {
			return nil, fmt.Errorf("memory of %s: %w", p.Pod, err)
		}
	}
	return all, nil
}

// dump is what of a dump of a sidecar's configuration is compared.
type dump struct {
	Configs []struct {
		Clusters []struct {
			Version string `json:"version_info"`
			Cluster struct{ Name string }
		} `json:"dynamic_active_clusters"`
		Routes []struct {
			Version string                `json:"version_info"`
			Routes  struct{ Name string } `json:"route_config"`
		} `json:"dynamic_route_configs"`
		Listeners []struct {
			Name   string
			Active struct{ Listener json.RawMessage } `json:"active_state"`
		} `json:"dynamic_listeners"`
		Endpoints []struct {
			Endpoints json.RawMessage `json:"endpoint_config"`
		} `json:"dynamic_endpoint_configs"`
	}
}

// Lacks says what a sidecar, except those of some pods, does not have as a round gives it to its proxy, or has beside; empty
// if there is nothing.
// Clusters and routes are compared by their versions, listeners as messages, as the dump of one that was replaced in place
// has the version of the one before, and endpoints by what is called. Route tables that there are beside are those of filter
// chains that drain.
func (s *Shop) Lacks(ctx context.Context, r *live.Round, except ...string) (string, error) {
	for class := range r.Output.Classes.Values() {
		for id := range class.Proxies.Values() {
			if id.Namespace != "shop" || slices.Contains(except, id.Name) {
				continue
			}
			want, err := wanted(class)
			if err != nil {
				return "", err
			}
			has, err := s.has(ctx, id)
			if err != nil {
				return "", err
			}
			maps.DeleteFunc(has, func(name, _ string) bool { return want[name] == "" && strings.HasPrefix(name, "routes ") })
			if !maps.Equal(want, has) {
				return fmt.Sprintf("%s: %s", id, cmp.Diff(want, has)), nil
			}
		}
	}
	return "", nil
}

// wanted is what the sidecars of a class are to have.
func wanted(class *compiler.Class) (map[string]string, error) {
	all := map[string]string{}
	versions := func(kind string, list model.List[*compiler.Resource]) {
		for r := range list.Values() {
			all[kind+" "+r.Name] = r.Version
		}
	}
	versions("cluster", class.Clusters)
	versions("routes", class.Routes)
	for r := range class.Listeners.Values() {
		m, err := r.Message()
		if err != nil {
			return nil, err
		}
		all["listener "+r.Name] = canonical(m)
	}
	for r := range class.Endpoints.Values() {
		m, err := r.Message()
		if err != nil {
			return nil, err
		}
		if e := m.(*endpointv3.ClusterLoadAssignment); len(e.Endpoints) > 0 {
			all["endpoints "+r.Name] = called(e)
		}
	}
	return all, nil
}

// has is what a sidecar has.
func (s *Shop) has(ctx context.Context, id model.ProxyID) (map[string]string, error) {
	text, err := s.admin(ctx, id.Name, "/config_dump?include_eds")
	if err != nil {
		return nil, err
	}
	var d dump
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", id, err)
	}
	all := map[string]string{}
	for _, c := range d.Configs {
		for _, x := range c.Clusters {
			all["cluster "+x.Cluster.Name] = x.Version
		}
		for _, x := range c.Routes {
			all["routes "+x.Routes.Name] = x.Version
		}
		for _, x := range c.Listeners {
			if len(x.Active.Listener) == 0 {
				continue // it is gone, and drains
			}
			l, err := unpacked(x.Active.Listener)
			if err != nil {
				return nil, fmt.Errorf("listener %s of %s: %w", x.Name, id, err)
			}
			all["listener "+x.Name] = canonical(l)
		}
		for _, x := range c.Endpoints { // those of clusters that no Service has, too, such as what was passed through
			m, err := unpacked(x.Endpoints)
			if err != nil {
				return nil, fmt.Errorf("endpoints of %s: %w", id, err)
			}
			if e, ok := m.(*endpointv3.ClusterLoadAssignment); ok && len(e.Endpoints) > 0 && strings.Contains(e.ClusterName, "/") {
				all["endpoints "+e.ClusterName] = called(e)
			}
		}
	}
	return all, nil
}

// unpacked is a message that a dump has with its type.
func unpacked(text []byte) (proto.Message, error) {
	var packed anypb.Any
	if err := protojson.Unmarshal(text, &packed); err != nil {
		return nil, err
	}
	return packed.UnmarshalNew()
}

// canonical is the deterministic wire form of a message, packed ones included, which a dump has in another order.
func canonical(m proto.Message) string {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", b)
}

// called are the addresses of endpoints.
func called(e *endpointv3.ClusterLoadAssignment) string {
	var all []string
	for _, l := range e.Endpoints {
		for _, x := range l.LbEndpoints {
			a := x.GetEndpoint().GetAddress().GetSocketAddress()
			all = append(all, fmt.Sprintf("%s:%d", a.GetAddress(), a.GetPortValue()))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
