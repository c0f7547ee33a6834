package ads

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// refusal is why somebody is not let in. Its reason is one of a few words, for counters; the text is for people.
type refusal struct {
	code   codes.Code
	reason string
	text   string
}

// Error implements error.
func (r *refusal) Error() string { return r.text }

// GRPCStatus is what the other side is told.
func (r *refusal) GRPCStatus() *status.Status { return status.New(r.code, r.text) }

func refuse(code codes.Code, reason, format string, args ...any) error {
	return &refusal{code, reason, fmt.Sprintf(format, args...)}
}

// refusalOf makes a refusal of what an Authenticator said.
func refusalOf(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	return &refusal{codes.Unauthenticated, "unauthenticated", err.Error()}
}

// refusals logs each cause once, however often somebody tries.
type refusals struct {
	log     *slog.Logger
	observe sinks.Observer

	mu    sync.Mutex
	known map[cause]bool
}

// cause is what makes two refusals the same.
type cause struct {
	reason   string
	identity model.Identity
	detail   string
}

// maxCauses bounds the causes that are remembered. Beyond, all are forgotten and may be logged once more.
const maxCauses = 1000

func newRefusals(log *slog.Logger, observe sinks.Observer) *refusals {
	return &refusals{log: log, observe: observe, known: map[cause]bool{}}
}

// note counts a refusal, and logs it if it is new.
func (r *refusals) note(why *refusal, identity model.Identity, attributes ...any) {
	r.observe(sinks.Event{Kind: sinks.StreamRefused, Reason: why.reason})
	if r.first(cause{why.reason, identity, fmt.Sprint(attributes...)}) {
		if identity != (model.Identity{}) {
			attributes = append(attributes, "identity", identity.String())
		}
		r.log.Warn("refused a proxy", append(attributes, "reason", why.reason, "error", why.text)...)
	}
}

func (r *refusals) first(c cause) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[c] {
		return false
	}
	if len(r.known) >= maxCauses {
		clear(r.known)
	}
	r.known[c] = true
	return true
}
