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

	"golang.org/x/net/http2"

	"github.com/flomesh-io/fsmc/verdict"
)

// streams asks requests of HTTP/2, many at a time on one connection. Nobody has to see how they look byte for byte, so
// that a library may speak.
type streams struct {
	*http2.ClientConn
	request verdict.Request
}

// multiplexed makes a connection of HTTP/2.
func multiplexed(c net.Conn, r verdict.Request) (speaker, heard) {
	connection, err := (&http2.Transport{AllowHTTP: true}).NewClientConn(c)
	if err != nil {
		_ = c.Close()
		return nil, heard{err: err}
	}
	return &streams{connection, r}, heard{}
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
	return h, !s.CanTakeNewRequest()
}

// close lets the requests that are under way come to their ends.
func (s *streams) close() {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
	}()
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
	connection *http2.ClientConn
	response   *http.Response
	from       *bufio.Reader
	cancel     context.CancelFunc
	// patience is how long a line may take.
	patience time.Duration
}

var errSilence = errors.New("no line came in time")

// streamed asks for an answer that does not end, with a line in each interval.
func streamed(ctx context.Context, c net.Conn, r verdict.Request, every time.Duration) (speaker, heard) {
	connection, err := (&http2.Transport{AllowHTTP: true}).NewClientConn(c)
	if err != nil {
		_ = c.Close()
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
