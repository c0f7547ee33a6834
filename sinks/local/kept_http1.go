//go:build linux

package local

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// during has a connection broken off when a context ends, until the function that is returned is called.
func during(ctx context.Context, c net.Conn) func() {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// requests asks one request of HTTP/1.1 after another.
type requests struct {
	net.Conn
	request verdict.Request
	from    *bufio.Reader
}

func newRequests(c net.Conn, r verdict.Request) *requests {
	r.Protocol = "HTTP/1.1"
	return &requests{c, r, bufio.NewReader(c)}
}

func (r *requests) speak(ctx context.Context) (heard, bool) {
	defer during(ctx, r)()
	h := converse(r, r.request, r.from)
	return h, h.closes || h.status == 0
}

func (r *requests) close() { _ = r.Close() }

// lines sends one line after another, and waits for each to come back.
type lines struct {
	net.Conn
	from *bufio.Reader
	sent int
	// said is what the echo server said of itself last.
	said []byte
}

func newLines(c net.Conn) *lines { return &lines{Conn: c, from: bufio.NewReaderSize(c, longestLine)} }

func (l *lines) speak(ctx context.Context) (heard, bool) {
	defer during(ctx, l)()
	l.sent++
	line := fmt.Appendf(nil, "line %d\n", l.sent)
	if _, err := l.Write(line); err != nil {
		return heard{err: err}, true
	}
	for {
		got, err := l.from.ReadSlice('\n')
		switch {
		case err != nil:
			return heard{err: err}, true
		case bytes.Equal(got, line):
			return heard{body: l.said}, false
		case bytes.HasPrefix(got, []byte("HTTP/1.")):
			return heardHTTP1(bufio.NewReader(strings.NewReader(string(got)+"\r\n")), http.MethodGet), true
		}
		l.said = bytes.Clone(got)
	}
}

func (l *lines) close() { _ = l.Close() }

// websocket sends one message after another, and waits for each to come back.
type websocket struct {
	net.Conn
	from *bufio.Reader
	// accepted is what was heard when it was accepted.
	accepted heard
	sent     int
}

// messages makes a websocket of a connection, or says what was heard instead.
func messages(ctx context.Context, c net.Conn, r verdict.Request) (speaker, heard) {
	defer during(ctx, c)()
	w := &websocket{Conn: c, from: bufio.NewReader(c)}
	w.accepted = askWebsocket(c, r, w.from)
	if w.accepted.err != nil || w.accepted.status != http.StatusSwitchingProtocols {
		_ = c.Close()
		return nil, w.accepted
	}
	return w, heard{}
}

func (w *websocket) speak(ctx context.Context) (heard, bool) {
	defer during(ctx, w)()
	w.sent++
	greeting, err := exchangeMessage(w, w.from, fmt.Appendf(nil, "message %d", w.sent))
	if err != nil {
		return heard{err: err}, true
	}
	if w.accepted.body == nil {
		w.accepted.body = greeting
	}
	return w.accepted, false
}

func (w *websocket) close() { _ = w.Close() }
