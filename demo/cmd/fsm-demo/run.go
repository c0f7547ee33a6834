package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/flomesh-io/fsmc/demo/internal/web"
)

// together runs all of these until the first returns, then ends the others. It returns the first error.
func together(ctx context.Context, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var once sync.Once
	var first error
	var running sync.WaitGroup
	for _, run := range all {
		running.Go(func() {
			err := run(ctx)
			once.Do(func() {
				first = err
				cancel()
			})
		})
	}
	running.Wait()
	return first
}

// serving returns what serves a handler on a port.
func serving(port int, handler http.Handler, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		listener, err := web.Listen(ctx, port)
		if err != nil {
			return err
		}
		return web.Serve(ctx, listener, handler, log)
	}
}
