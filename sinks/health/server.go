package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// graceTime is how long requests may go on after the server was told to stop.
const graceTime = 5 * time.Second

// Serve answers on the listener until the context ends; requests that are being answered then are let finish, for five
// seconds at most. It closes the listener, and returns nil when it was the context that ended it.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stopped := make(chan error, 1)
	unregister := context.AfterFunc(ctx, func() { stopped <- stop(context.WithoutCancel(ctx), server) })
	err := server.Serve(listener)
	if unregister() { // nobody told it to stop
		_ = server.Close()
		return fmt.Errorf("serve health and metrics: %w", err)
	}
	return <-stopped
}

// stop ends the server with grace, or without if that takes too long.
func stop(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, graceTime)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("stop serving health and metrics: %w", err)
	}
	return nil
}
