//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// How long a connection and a whole exchange may take.
const (
	connectWithin = 5 * time.Second
	answerWithin  = 10 * time.Second
)

// Ask makes a request as an application in the pod would. It implements verdict.Engine.
func (m *machine) Ask(ctx context.Context, q verdict.Question) (verdict.Answer, error) {
	p, err := m.pod(q.Namespace, q.Pod)
	if err != nil {
		return verdict.Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	records := m.recordsFrom(p)
	h := p.exchange(ctx, q)
	answer := h.answer()
	if answer.Allowed && answer.Backend == "" {
		answer.Backend = m.behind(q.Address, records.find(ctx, h.from))
	}
	if !answer.Allowed {
		answer.Reason = explained(answer.Reason, records.find(ctx, h.from))
	}
	return answer, nil
}

// exchange makes one request on a connection of its own.
func (p *pod) exchange(ctx context.Context, q verdict.Question) heard {
	connecting, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	c, err := p.dial(connecting, "tcp", q.Address.String())
	if err != nil {
		return heard{err: err}
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	h := speak(c, q.Request)
	h.from, _ = netip.ParseAddrPort(c.LocalAddr().String())
	return h
}

// speak makes a request in its protocol.
func speak(c net.Conn, r *verdict.Request) heard {
	if r == nil {
		return speakBytes(c)
	}
	switch r.Protocol {
	case "h2c", "grpc":
		return speakHTTP2(c, *r)
	case "websocket":
		return speakWebsocket(c, *r)
	default:
		return speakHTTP1(c, *r)
	}
}

// words says why nothing came back.
func words(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to that address"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "there was no answer in time"
	}
	return err.Error()
}

// explained is a reason with what the client's sidecar has written of it.
func explained(reason string, r record) string {
	if details := r.details(); details != "" {
		return fmt.Sprintf("%s (%s)", reason, details)
	}
	return strings.TrimSpace(reason)
}

// behind is the workload that answered, as far as that can be told without its help: the one that the client's sidecar
// says it called, or the one whose address was called.
func (m *machine) behind(called netip.AddrPort, r record) string {
	address := called.Addr()
	if upstream, err := netip.ParseAddrPort(r.UpstreamHost); err == nil {
		address = upstream.Addr()
	}
	for _, p := range m.pods {
		for _, own := range p.addresses {
			if own == address {
				return p.Workload
			}
		}
	}
	return ""
}
