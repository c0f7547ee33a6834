package debug

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// DefaultAddress is where the debug server listens unless it is told otherwise: for this machine, or this pod, only.
const DefaultAddress = "127.0.0.1:9092"

// Server is a server that can be switched on and off while the process runs. It is off at first.
type Server struct {
	address string
	handler http.Handler
	log     *slog.Logger

	mu sync.Mutex
	on *listening // nil while it is off
}

// listening is a server that is on.
type listening struct {
	listener net.Listener
	server   *http.Server
	stop     context.CancelFunc
	// requests is held for reading by each request, so that whoever holds it for writing knows that none is left.
	requests sync.RWMutex
	ended    chan struct{}
}

// NewServer makes a server for an address (host:port). Nothing listens yet.
func NewServer(address string, handler http.Handler, log *slog.Logger) *Server {
	return &Server{address: address, handler: handler, log: log}
}

// SetEnabled switches the server on or off; doing so twice changes nothing. When it returns, the server listens, or all
// of its requests have ended: whoever was getting a profile gets no more of it. Only switching on can fail, and can then be
// tried again. A handler of the server must not call it.
func (s *Server) SetEnabled(enabled bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on != nil && (!enabled || s.on.dead()) {
		s.on.close()
		s.on = nil
		s.log.Info("the debug server is off")
	}
	if !enabled || s.on != nil {
		return nil
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("start the debug server: %w", err)
	}
	s.on = s.start(listener)
	s.log.Info("the debug server is on", "address", listener.Addr().String())
	return nil
}

// Addr is where the server listens; nil while it is off.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on == nil {
		return nil
	}
	return s.on.listener.Addr()
}

// start serves on a listener.
func (s *Server) start(listener net.Listener) *listening {
	ctx, stop := context.WithCancel(context.Background())
	l := &listening{listener: listener, stop: stop, ended: make(chan struct{})}
	l.server = &http.Server{
		Handler:           l.counted(onlyByAddress(listener.Addr(), s.handler)),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(l.ended)
		if err := l.server.Serve(listener); ctx.Err() == nil {
			s.log.Error("the debug server ended", "error", err)
		}
	}()
	return l
}

// dead says whether the server ended although nobody closed it.
func (l *listening) dead() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// counted serves requests until the server is closed, and lets it wait for them.
func (l *listening) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.requests.RLock()
		defer l.requests.RUnlock()
		if r.Context().Err() == nil {
			next.ServeHTTP(w, r)
		}
	})
}

// close ends all requests, and returns when none is left.
func (l *listening) close() {
	l.stop()
	_ = l.server.Close() // the listener is gone either way
	<-l.ended
	l.requests.Lock()
	defer l.requests.Unlock()
}

// onlyByAddress keeps web pages of others out: a name of theirs may be made to resolve to this machine, so that a
// browser here takes this server for theirs. Whoever means this server calls it localhost, or by an address. Where others
// can reach the server anyway, it may have any name.
func onlyByAddress(listens net.Addr, next http.Handler) http.Handler {
	if at, err := netip.ParseAddrPort(listens.String()); err != nil || !at.Addr().IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAddress(r.Host) {
			http.Error(w, "This server is for this machine only: call it localhost.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isAddress says whether a Host header is an address or localhost.
func isAddress(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.EqualFold(host, "localhost")
}
