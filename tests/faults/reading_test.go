package faults

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// frozen is a connection that is not read from any more once it is told so, as that of a process that was stopped.
type frozen struct {
	net.Conn
	now, closed <-chan struct{}
	close       func()
}

func (f *frozen) Read(b []byte) (int, error) {
	select {
	case <-f.now:
		<-f.closed
		return 0, net.ErrClosed
	default:
		return f.Conn.Read(b)
	}
}

func (f *frozen) Close() error {
	f.close()
	return f.Conn.Close()
}

// A third of all proxies stop reading, all at once. The others are served each of 30 edits within 30 seconds; for those that
// do not read the control plane keeps at most 1 MiB each, and nothing of it (up to 4 MiB for all) once they are gone.
func TestWhoDoesNotReadHoldsUpNobody(t *testing.T) {
	folder, manifests := manifests(t, 40, 9)
	p := place(t, folder)
	start(t, p)
	known := nodes(t, folder)
	freeze := make(chan struct{})
	deaf, all := fleet{}, fleet{}
	for i, node := range known {
		o := p.Sidecar(node)
		if i%3 > 0 {
			all[node] = sidecar.Start(o)
			continue
		}
		dial := o.Dial
		o.Dial = func(ctx context.Context) (net.Conn, error) {
			c, err := dial(ctx)
			if err != nil {
				return nil, err
			}
			closed := make(chan struct{})
			return &frozen{c, freeze, closed, sync.OnceFunc(func() { close(closed) })}, nil
		}
		deaf[node] = sidecar.Start(o)
	}
	t.Cleanup(all.leave)
	t.Cleanup(sync.OnceFunc(deaf.leave))
	within(t, recovery, "all are served", func() bool { return p.Settled(len(known)) })
	before := p.Use()
	unedited := manifests.State()
	close(freeze)
	for range 30 {
		edit(t, manifests)
		if err := manifests.Write(); err != nil {
			t.Fatal(err)
		}
		want := whole(t, folder)
		for node := range want {
			if all[node] == nil {
				delete(want, node)
			}
		}
		within(t, recovery, "those that read have it", func() bool { return all.lacks(want) == "" })
	}
	during := p.Use()
	if most := before.HeapBytes + float64(len(deaf))*(1<<20); during.HeapBytes > most {
		t.Errorf("for %d proxies that do not read, the heap grew from %.0f to %.0f bytes", len(deaf), before.HeapBytes, during.HeapBytes)
	}
	t.Logf("%d of %d do not read; before %+v, during %+v", len(deaf), len(known), before, during)
	ended := make(chan struct{})
	go func() {
		deaf.leave()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(recovery):
		t.Fatal("they do not end")
	}
	within(t, recovery, "the control plane has noticed", func() bool {
		return p.Numbers()["fsm_proxies_connected"] <= float64(len(known)-len(deaf))
	})
	if err := manifests.Return(unedited); err != nil {
		t.Fatal(err)
	}
	served(t, all, "", folder)
	returned(t, p, before, 4<<20)
	all.noRepeats(t)
}
