package live

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/sources"
)

// world is a loop in a time of its own, and when it published which round.
type world struct {
	inputs chan Input
	again  chan struct{}
	began  time.Time
	rounds []*Round
	times  []time.Duration
	queue  []int
}

// run runs a loop while do drives it, in fake time.
func run(t *testing.T, change func(*Loop), do func(*world)) *world {
	t.Helper()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		w.inputs, w.again, w.began = make(chan Input), make(chan struct{}), time.Now()
		loop := &Loop{
			Pipeline: Pipeline{Now: time.Now, Assume: true}, HoldOff: DefaultHoldOff,
			Publish: func(_ context.Context, r *Round) {
				w.rounds, w.times = append(w.rounds, r), append(w.times, time.Since(w.began))
			},
			Queue: func(n int) { w.queue = append(w.queue, n) },
		}
		if change != nil {
			change(loop)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			loop.Run(ctx, w.inputs, w.again)
		}()
		do(w)
		synctest.Wait()
		stop()
		<-done
	})
	return w
}

// at publishes are expected, in milliseconds.
func (w *world) at(t *testing.T, want ...int) {
	t.Helper()
	var got []int
	for _, d := range w.times {
		got = append(got, int(d/time.Millisecond))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func input(services ...string) Input {
	var in Input
	for _, name := range services {
		in.Objects.Services = append(in.Objects.Services, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})
	}
	return in
}

func TestTheFirstStateGoesAtOnce(t *testing.T) {
	w := run(t, nil, func(w *world) { w.inputs <- input("web") })
	w.at(t, 0)
	if n := w.rounds[0].Mesh.Count().Services; n != 1 {
		t.Errorf("%d services", n)
	}
}

func TestChangesAreHeldOff(t *testing.T) {
	w := run(t, nil, func(w *world) {
		w.inputs <- input("a")
		time.Sleep(time.Second)
		w.inputs <- input("a", "b")
		time.Sleep(50 * time.Millisecond)
		w.inputs <- input("a", "b", "c")
		time.Sleep(time.Second)
	})
	w.at(t, 0, 1150)
	if n := w.rounds[1].Mesh.Count().Services; n != 3 {
		t.Errorf("%d services: the newest state counts", n)
	}
	if !slices.Contains(w.queue, 2) || w.queue[len(w.queue)-1] != 0 {
		t.Errorf("the queue was %v", w.queue)
	}
}

func TestNoChangeWaitsForLongerThanAtMost(t *testing.T) {
	w := run(t, nil, func(w *world) {
		w.inputs <- input("a")
		time.Sleep(time.Second)
		for range 30 {
			w.inputs <- input("a", "b")
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Second)
	})
	w.at(t, 0, 2000, 2550)
}

func TestEndpointsGoAtOnce(t *testing.T) {
	first := input("a")
	second := first
	second.Objects.EndpointSlices = []*discoveryv1.EndpointSlice{{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "a-1", Labels: map[string]string{discoveryv1.LabelServiceName: "a"},
	}, AddressType: discoveryv1.AddressTypeIPv4}}
	w := run(t, nil, func(w *world) {
		w.inputs <- first
		time.Sleep(time.Second)
		w.inputs <- second
		time.Sleep(time.Second)
	})
	w.at(t, 0, 1000)
}

// An endpoint does not take others with it: what waits is not ready to be seen yet.
func TestEndpointsWaitForWhatWaits(t *testing.T) {
	w := run(t, nil, func(w *world) {
		w.inputs <- input("a")
		time.Sleep(time.Second)
		second := input("a", "b")
		w.inputs <- second
		time.Sleep(10 * time.Millisecond)
		second.Objects.Pods = []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}}}
		w.inputs <- second
		time.Sleep(time.Second)
	})
	w.at(t, 0, 1110)
}

func TestAgainMakesARoundOfTheNewestState(t *testing.T) {
	w := run(t, nil, func(w *world) {
		w.again <- struct{}{} // There is nothing yet.
		w.inputs <- input("a")
		time.Sleep(time.Second)
		w.again <- struct{}{}
	})
	w.at(t, 0, 1000)
	if w.rounds[0].Mesh != nil && w.rounds[1].Output.Classes.Len() != w.rounds[0].Output.Classes.Len() {
		t.Error("the rounds differ")
	}
}

func TestResync(t *testing.T) {
	every := func(l *Loop) { l.Resync = func(*Round) time.Duration { return time.Minute } }
	w := run(t, every, func(w *world) {
		w.inputs <- input("a")
		time.Sleep(150 * time.Second)
	})
	w.at(t, 0, 60_000, 120_000)
}

func TestARoundBeforeCounts(t *testing.T) {
	in := input("a")
	before := Pipeline{Now: time.Now, Assume: true}.Next(t.Context(), in, nil)
	w := run(t, func(l *Loop) { l.Previous = before }, func(w *world) {
		time.Sleep(time.Second)
		w.inputs <- input("a", "b")
		time.Sleep(time.Second)
	})
	w.at(t, 1100)
}

// What waits when the source ends is not lost.
func TestTheEndOfTheSource(t *testing.T) {
	w := run(t, nil, func(w *world) {
		w.inputs <- input("a")
		time.Sleep(time.Second)
		w.inputs <- input("a", "b")
		close(w.inputs)
		synctest.Wait()
	})
	w.at(t, 0, 1000)
}

func TestARoundOverAnotherTakesOver(t *testing.T) {
	p := Pipeline{Now: time.Now, Assume: true}
	in := input("a", "b")
	first := p.Next(t.Context(), in, nil)
	in.Objects.Services = slices.Clone(in.Objects.Services)
	in.Objects.Services[1] = input("c").Objects.Services[0]
	second := p.Next(t.Context(), in, first)
	want := []Reuse{{"entities", 1, 2}, {"classes", 0, 0}, {"specs", 0, 0}}
	if diff := cmp.Diff(want, second.Reuse); diff != "" {
		t.Error(diff)
	}
	fresh := p.Next(t.Context(), in, nil)
	if diff := cmp.Diff(fresh.Diagnostics, second.Diagnostics); diff != "" {
		t.Errorf("other diagnostics than without: %s", diff)
	}
}

// Adjust sees the completed objects, and what it makes of them is resolved.
func TestAdjust(t *testing.T) {
	p := Pipeline{Now: time.Now, Assume: true, Adjust: func(o sources.Objects) sources.Objects {
		if o.Services[0].Spec.ClusterIP == "" {
			t.Error("the objects are not completed")
		}
		o.Services = nil
		return o
	}}
	if n := p.Next(t.Context(), input("a"), nil).Mesh.Count().Services; n != 0 {
		t.Errorf("%d services", n)
	}
}
