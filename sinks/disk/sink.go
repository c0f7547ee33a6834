package disk

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// Sink keeps a folder the way the newest snapshot is.
type Sink struct {
	// Folder is made if it is not there. A folder with files that fsmc has not written is refused.
	Folder string
	// Credentials are written beside each proxy's configuration. Without them a proxy could not start, so that the
	// proxies are left out.
	Credentials *Credentials
	// ControlPlane, unless nil, is where proxies get their configuration from: envoy.yaml is then the bootstrap that leads
	// there, and nothing else is written. Otherwise it is the whole configuration.
	ControlPlane *compiler.ControlPlane
	// Chosen limits the tree to some proxies and their classes; nil is all of them.
	Chosen func(model.ProxyID) bool
	// Keep are proxies whose files stay although the snapshot does not have them any more: they still run.
	Keep []model.ProxyID
	// Progress, unless nil, is told how many of the files are done, from several goroutines.
	Progress func(done, total int)
}

// Report is what a run did to the folder.
type Report struct {
	// Files are all files of the tree, of which Written are new or changed.
	Files, Written int
	// Removed are the files that were not wanted any more.
	Removed int
	// Issued are the proxies that got a new certificate.
	Issued int
}

// Publish implements sinks.Sink.
func (s *Sink) Publish(ctx context.Context, snapshot sinks.Snapshot) error {
	_, err := s.Write(ctx, snapshot)
	return err
}

// Write brings the folder to the state of the snapshot and says what had to change. If it fails before all new files
// are on the disk, for instance because the disk is full, the folder is as it was before. While another process writes
// into the folder, it waits.
func (s *Sink) Write(ctx context.Context, snapshot sinks.Snapshot) (Report, error) {
	plan, err := s.plan(snapshot)
	if err != nil {
		return Report{}, err
	}
	files := plan.files()
	tree, err := openTree(ctx, s.Folder, files)
	if err != nil {
		return Report{}, err
	}
	if err := s.keep(tree); err != nil {
		return Report{}, errors.Join(err, tree.abandon())
	}
	issued, err := s.fill(ctx, tree, plan)
	if err != nil {
		return Report{}, errors.Join(err, tree.abandon())
	}
	changed, removed, err := tree.commit()
	return Report{Files: len(files), Written: changed, Removed: removed, Issued: issued}, errors.Join(err, tree.close())
}

// keep has files stay that are there already.
func (s *Sink) keep(t *tree) error {
	for _, id := range s.Keep {
		folder, err := ProxyFolder(id)
		if err != nil {
			return err
		}
		t.keep(folder)
	}
	return nil
}

// Check says whether Write would be let into the folder, and changes nothing.
func (s *Sink) Check(ctx context.Context) error {
	tree, err := openTree(ctx, s.Folder, nil)
	if err != nil {
		return err
	}
	const probe = indexFile + temporary
	err = tree.write(probe, nil, publicMode)
	return errors.Join(err, tree.remove(probe), tree.close())
}

// plan is what a snapshot wants on the disk.
type plan struct {
	pages       []page
	credentials []credential
}

func (s *Sink) plan(snapshot sinks.Snapshot) (plan, error) {
	chosen := s.Chosen
	if chosen == nil {
		chosen = everyProxy
	}
	var pages []page
	var err error
	if s.ControlPlane == nil {
		pages, err = layout(snapshot.Mesh, snapshot.Output, snapshot.Diagnostics, chosen)
	}
	if err != nil || s.Credentials == nil {
		return plan{pages: pages}, err
	}
	proxies, err := proxyPages(snapshot.Output, s.ControlPlane, chosen)
	if err != nil {
		return plan{}, err
	}
	credentials, err := credentialsOf(snapshot, chosen)
	return plan{pages: append(pages, proxies...), credentials: credentials}, err
}

// files are the paths of everything in the plan.
func (p plan) files() []string {
	var files []string
	for _, page := range p.pages {
		files = append(files, page.path)
	}
	for _, credential := range p.credentials {
		files = append(files, credential.files()...)
	}
	return files
}

// fill puts into the tree what it does not have yet, and says how many certificates were issued.
func (s *Sink) fill(ctx context.Context, t *tree, p plan) (issued int, err error) {
	var done, fresh atomic.Int64
	var buffers sync.Pool
	step := func() {
		if n := done.Add(1); s.Progress != nil {
			s.Progress(int(n), len(p.pages)+len(p.credentials))
		}
	}
	err = each(ctx, len(p.pages), func(i int) error {
		defer step()
		buffer, _ := buffers.Get().(*[]byte)
		if buffer == nil {
			buffer = new([]byte)
		}
		defer buffers.Put(buffer)
		text, err := p.pages[i].render((*buffer)[:0])
		*buffer = text
		p.pages[i].render = nil // What it holds on to is not needed any more.
		if err != nil || t.has(p.pages[i].path, text, publicMode) {
			return err
		}
		return t.put(p.pages[i].path, text, publicMode)
	})
	if err != nil {
		return 0, err
	}
	err = each(ctx, len(p.credentials), func(i int) error {
		defer step()
		isNew, err := s.Credentials.fill(ctx, t, p.credentials[i])
		if isNew {
			fresh.Add(1)
		}
		return err
	})
	return int(fresh.Load()), err
}

// each calls do with 0 to n-1 on all processors, and stops soon after a failure. Of several failures, it returns the
// one with the lowest number.
func each(ctx context.Context, n int, do func(int) error) error {
	failures := make([]error, n)
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !failed.Load(); i = int(next.Add(1)) - 1 {
				if failures[i] = ctx.Err(); failures[i] == nil {
					failures[i] = do(i)
				}
				if failures[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}
