package live

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/flomesh-io/fsmc/sources"
)

func TestHoldOff(t *testing.T) {
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	for _, row := range []struct {
		name              string
		first, last, want int
	}{
		{"one change waits for quiet", 0, 0, 100},
		{"each further one begins the quiet again", 0, 80, 180},
		{"but not longer than at most", 0, 950, 1000},
		{"at most is exact", 0, 900, 1000},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := DefaultHoldOff.due(at(row.first), at(row.last)); !got.Equal(at(row.want)) {
				t.Errorf("%s after the first", got.Sub(began))
			}
		})
	}
}

func TestEndpointsOnly(t *testing.T) {
	service, other := &corev1.Service{}, &corev1.Service{}
	slice, pod := &discoveryv1.EndpointSlice{}, &corev1.Pod{}
	base := sources.Objects{MeshName: "fsm", Services: []*corev1.Service{service}}
	for _, row := range []struct {
		name string
		edit func(*sources.Objects)
		want bool
	}{
		{"nothing", func(*sources.Objects) {}, true},
		{"a slice", func(o *sources.Objects) { o.EndpointSlices = []*discoveryv1.EndpointSlice{slice} }, true},
		{"a pod", func(o *sources.Objects) { o.Pods = []*corev1.Pod{pod} }, true},
		{"a copy of the list", func(o *sources.Objects) { o.Services = []*corev1.Service{service} }, true},
		{"another service", func(o *sources.Objects) { o.Services = []*corev1.Service{other} }, false},
		{"one service more", func(o *sources.Objects) { o.Services = []*corev1.Service{service, other} }, false},
		{"the name of the mesh", func(o *sources.Objects) { o.MeshName = "osm" }, false},
		{"a target and a slice", func(o *sources.Objects) {
			o.EndpointSlices = []*discoveryv1.EndpointSlice{slice}
			o.TrafficTargets = []*sources.TrafficTarget{{}}
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			edited := base
			row.edit(&edited)
			if got := endpointsOnly(base, edited); got != row.want {
				t.Errorf("endpoints only: %t", got)
			}
		})
	}
}
