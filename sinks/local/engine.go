//go:build linux

package local

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
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
	began := time.Now().Truncate(time.Millisecond) // As Envoy writes it.
	h := p.exchange(ctx, q)
	answer := h.answer()
	if answer.Echo.Workload != "" || answer.Backend != "" {
		return answer, nil
	}
	// It is not the echo server's word: a refusal, or a program that has another way of answering.
	t := m.trail(ctx, p, q, h.from, began)
	switch {
	case m.echoesOnly():
		answer.Allowed = false // whoever answered, it was no application
		answer.Reason = strings.TrimSpace(answer.Reason + " " + t.reason())
	case t.arrived && h.err == nil:
		answer.Allowed, answer.Reason = true, ""
	case t.words != "" && (h.err != nil || h.status != 0):
		answer.Allowed = false
		answer.Reason = strings.TrimSpace(answer.Reason + " " + t.reason())
	}
	if answer.Allowed && t.server != nil {
		answer.Backend = t.server.Workload
	}
	return answer, nil
}

// echoesOnly says that every application of the mesh is the built-in echo server, whose answers prove themselves.
func (m *machine) echoesOnly() bool {
	return !slices.ContainsFunc(m.state.Load().pods, func(p *pod) bool { return len(p.Command) > 0 })
}

func (t trail) reason() string {
	if t.words == "" {
		return ""
	}
	return "(" + t.words + ")"
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
	ctx, end := p.bothEnd(ctx)
	defer end()
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
