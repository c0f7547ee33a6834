package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/disk"
	"github.com/flomesh-io/fsmc/sinks/local"
)

// envoyBinary is the path of a real Envoy.
type envoyBinary string

// findEnvoy finds the binary that was named, or the one on PATH.
func findEnvoy(named ...string) (envoyBinary, error) {
	for _, name := range named {
		if name == "" {
			continue
		}
		path, err := exec.LookPath(name)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return "", fmt.Errorf("cannot run Envoy: %w", err)
		}
		return envoyBinary(path), nil
	}
	path, err := exec.LookPath("envoy")
	if err != nil {
		return "", errNoEnvoy
	}
	return envoyBinary(path), nil
}

// together is how many Envoys validate at one time. Each takes a processor for half a second.
const together = 2

// validateAll has Envoy load the configuration of every proxy of a tree. The error is that Envoy could not be asked.
func (e envoyBinary) validateAll(ctx context.Context, tree string, mesh *model.Mesh, p *progress) (map[model.ProxyID]error, error) {
	proxies := slices.Collect(mesh.Proxies())
	verdicts := make([]error, len(proxies))
	p.doing("asking Envoy")
	var next, done int
	var mu sync.Mutex
	var workers sync.WaitGroup
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= len(proxies)
	}
	for range together {
		workers.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				verdicts[i] = e.validate(ctx, tree, proxies[i].ID)
				mu.Lock()
				done++
				p.count(done, len(proxies))
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	byID := map[model.ProxyID]error{}
	for i, proxy := range proxies {
		var refusal *refusal
		if verdicts[i] != nil && !errors.As(verdicts[i], &refusal) {
			return nil, verdicts[i]
		}
		byID[proxy.ID] = verdicts[i]
	}
	return byID, ctx.Err()
}

// refusal is Envoy's word on a configuration that it would not run.
type refusal struct{ message string }

func (r *refusal) Error() string { return r.message }

// validate has Envoy load one proxy's configuration from its folder. A refusal is a *refusal.
func (e envoyBinary) validate(ctx context.Context, tree string, id model.ProxyID) error {
	folder, err := disk.ProxyFolder(id)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, string(e), "--mode", "validate", "-c", "./"+disk.ConfigFile, "--log-level", "warning")
	command.Dir = filepath.Join(tree, filepath.FromSlash(folder))
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return &refusal{reason(string(output), err)}
	}
	return fmt.Errorf("cannot run Envoy: %w", err)
}

// reason is what an Envoy that gave up complained of, else all of its log, else how it ended.
func reason(log string, err error) string {
	return cmp.Or(local.Complaint(log), strings.TrimSpace(log), err.Error())
}
