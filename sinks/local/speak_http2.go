//go:build linux

package local

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/flomesh-io/fsmc/verdict"
)

// speakHTTP2 makes a request of HTTP/2 with prior knowledge, or of gRPC. It writes the frames itself: a library would
// mend the path, and fold headers that stand twice.
func speakHTTP2(c net.Conn, r verdict.Request) heard {
	s := &stream{framer: http2.NewFramer(c, c), credit: initialWindow, connection: initialWindow, initial: initialWindow}
	s.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		return heard{err: err}
	}
	var head []byte
	if r.Protocol == "grpc" {
		head = grpcHead(r.Body)
	}
	s.body = io.MultiReader(bytes.NewReader(head), io.LimitReader(filling{}, int64(r.Body)))
	s.left = len(head) + r.Body
	err := errors.Join(s.framer.WriteSettings(), s.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: headerBlock(r), EndHeaders: true, EndStream: s.left == 0,
	}))
	if err != nil {
		return heard{err: err}
	}
	return s.run()
}

// initialWindow is how much may be sent before the other side says that more may.
const initialWindow = 1<<16 - 1

// stream is one request on a connection of its own.
type stream struct {
	framer *http2.Framer
	// body is what is still to be sent, left bytes of it.
	body io.Reader
	left int
	// credit and connection are how much may be sent now, on the stream and on the whole connection; initial is the
	// size of a new stream's window.
	credit, connection, initial int
	heard                       heard
}

// run sends what may be sent and reads frames, until the answer is complete.
func (s *stream) run() heard {
	for {
		if err := s.send(); err != nil && s.heard.status == 0 {
			s.heard.err = err // Reading may still find an answer that came before.
		}
		f, err := s.framer.ReadFrame()
		if err != nil {
			if s.heard.status == 0 || s.heard.err == nil {
				s.heard.err = err
			}
			return s.heard
		}
		if s.take(f) {
			return s.heard
		}
	}
}

// send sends as much of the body as the windows allow.
func (s *stream) send() error {
	for s.left > 0 {
		n := min(s.left, s.credit, s.connection, 16<<10)
		if n <= 0 {
			return nil
		}
		piece := make([]byte, n)
		if _, err := io.ReadFull(s.body, piece); err != nil {
			return err
		}
		s.left, s.credit, s.connection = s.left-n, s.credit-n, s.connection-n
		if err := s.framer.WriteData(1, s.left == 0, piece); err != nil {
			s.left = 0
			return err
		}
	}
	return nil
}

// take takes a frame, and says whether it was the last of the answer.
func (s *stream) take(f http2.Frame) (last bool) {
	switch f := f.(type) {
	case *http2.SettingsFrame:
		s.settings(f)
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			s.connection += int(f.Increment)
		} else {
			s.credit += int(f.Increment)
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = s.framer.WritePing(true, f.Data)
		}
	case *http2.MetaHeadersFrame:
		s.headers(f)
		return f.StreamEnded()
	case *http2.DataFrame:
		if len(s.heard.body) < longestAnswer {
			s.heard.body = append(s.heard.body, f.Data()...)
		}
		if n := uint32(len(f.Data())); n > 0 {
			_ = errors.Join(s.framer.WriteWindowUpdate(0, n), s.framer.WriteWindowUpdate(1, n))
		}
		return f.StreamEnded()
	case *http2.RSTStreamFrame:
		s.heard.err = fmt.Errorf("the stream was reset: %s", f.ErrCode)
		return true
	case *http2.GoAwayFrame:
		if f.LastStreamID == 0 {
			s.heard.err = fmt.Errorf("the connection was ended: %s %s", f.ErrCode, f.DebugData())
			return true
		}
	}
	return false
}

func (s *stream) settings(f *http2.SettingsFrame) {
	if f.IsAck() {
		return
	}
	if window, ok := f.Value(http2.SettingInitialWindowSize); ok {
		s.credit += int(window) - s.initial
		s.initial = int(window)
	}
	_ = s.framer.WriteSettingsAck()
}

func (s *stream) headers(f *http2.MetaHeadersFrame) {
	if s.heard.header == nil {
		s.heard.header = http.Header{}
	}
	if status, err := strconv.Atoi(f.PseudoValue("status")); err == nil && status >= 200 {
		s.heard.status = status
	}
	for _, field := range f.RegularFields() {
		s.heard.header.Add(field.Name, field.Value)
	}
}

// headerBlock is the head of a request.
func headerBlock(r verdict.Request) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	put := func(name, value string) { _ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	method := http.MethodGet
	if r.Protocol == "grpc" {
		method = http.MethodPost
	}
	put(":method", cmp.Or(r.Method, method))
	put(":scheme", "http")
	put(":path", cmp.Or(r.Path, "/"))
	if r.Host != "" {
		put(":authority", r.Host)
	}
	if r.Protocol == "grpc" {
		put("content-type", "application/grpc")
		put("te", "trailers")
	}
	for _, h := range r.Headers {
		put(strings.ToLower(h.Name), h.Value)
	}
	return block.Bytes()
}
