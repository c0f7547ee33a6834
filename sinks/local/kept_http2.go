//go:build linux

package local

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// streams asks requests of HTTP/2, many at a time on one connection. Nobody has to see how they look byte for byte, so
// that a library may speak.
type streams struct {
	*http.ClientConn
	request verdict.Request
}

// multiplexed makes a connection of HTTP/2.
func multiplexed(ctx context.Context, c net.Conn, r verdict.Request) (speaker, heard) {
	connection, err := http2Over(ctx, c)
	if err != nil {
		return nil, heard{err: err}
	}
	return &streams{connection, r}, heard{}
}

// http2Over speaks HTTP/2 on a connection, with prior knowledge. A connection on which it cannot be spoken is closed.
func http2Over(ctx context.Context, c net.Conn) (*http.ClientConn, error) {
	transport := &http.Transport{
		Protocols:          new(http.Protocols),
		DisableCompression: true,
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return c, nil },
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	connection, err := transport.NewClientConn(ctx, "http", c.RemoteAddr().String())
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return connection, nil
}

func (s *streams) speak(ctx context.Context) (heard, bool) {
	response, err := s.RoundTrip(http2Request(ctx, s.request))
	if err != nil {
		return heard{err: err}, true
	}
	defer func() { _ = response.Body.Close() }()
	h := heard{status: response.StatusCode, header: response.Header}
	h.body, h.err = io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	maps.Copy(h.header, response.Trailer)
	return h, s.Err() != nil
}

// close lets the requests that are under way come to their ends.
func (s *streams) close() {
	s.SetStateHook(func(connection *http.ClientConn) {
		if connection.InFlight() == 0 {
			_ = connection.Close()
		}
	})
	if s.InFlight() == 0 {
		_ = s.Close()
	}
}

// http2Request is a request as the library wants it.
func http2Request(ctx context.Context, r verdict.Request) *http.Request {
	method, head, header := http.MethodGet, []byte(nil), http.Header{}
	if r.Protocol == "grpc" {
		method, head = http.MethodPost, grpcHead(r.Body)
		header.Set("Content-Type", "application/grpc")
		header.Set("Te", "trailers")
	}
	for _, h := range r.Headers {
		header.Add(h.Name, h.Value)
	}
	request := &http.Request{
		Method: cmp.Or(r.Method, method), Host: r.Host, Header: header,
		URL: &url.URL{Scheme: "http", Host: r.Host, Opaque: cmp.Or(r.Path, "/")},
	}
	if length := len(head) + r.Body; length > 0 {
		request.ContentLength = int64(length)
		request.Body = io.NopCloser(io.MultiReader(bytes.NewReader(head), io.LimitReader(filling{}, int64(r.Body))))
	}
	return request.WithContext(ctx)
}

// longAnswer is an answer that does not end.
type longAnswer struct {
	connection *http.ClientConn
	response   *http.Response
	from       *bufio.Reader
	cancel     context.CancelFunc
	// patience is how long a line may take.
	patience time.Duration
}

var errSilence = errors.New("no line came in time")

// streamed asks for an answer that does not end, with a line in each interval.
func streamed(ctx context.Context, c net.Conn, r verdict.Request, every time.Duration) (speaker, heard) {
	connection, err := http2Over(ctx, c)
	if err != nil {
		return nil, heard{err: err}
	}
	every = cmp.Or(every, 100*time.Millisecond)
	r.Protocol, r.Body = "h2c", 0
	r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], verdict.Header{Name: everyHeader, Value: every.String()})
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel) // The head of the answer has to come in time.
	response, err := connection.RoundTrip(http2Request(whole, r))
	stop()
	a := &longAnswer{connection: connection, response: response, cancel: cancel, patience: answerWithin + every}
	if err != nil {
		a.close()
		return nil, heard{err: err}
	}
	a.from = bufio.NewReaderSize(response.Body, longestLine)
	if response.StatusCode != http.StatusOK || response.Header.Get(workloadHeader) == "" {
		h := heard{status: response.StatusCode, header: response.Header}
		stop := context.AfterFunc(ctx, cancel)
		h.body, h.err = io.ReadAll(io.LimitReader(response.Body, longestAnswer))
		stop()
		a.close()
		return nil, h
	}
	return a, heard{}
}

func (a *longAnswer) speak(ctx context.Context) (heard, bool) {
	silence := time.AfterFunc(a.patience, a.cancel)
	defer silence.Stop()
	stop := context.AfterFunc(ctx, a.cancel)
	defer stop()
	line, err := a.from.ReadBytes('\n')
	if errors.Is(err, context.Canceled) {
		err = errSilence
	}
	return heard{status: a.response.StatusCode, header: a.response.Header, body: line, err: err}, err != nil
}

func (a *longAnswer) close() {
	a.cancel()
	_ = a.connection.Close()
}
