//go:build linux

package local

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/verdict"
)

// speakHTTP1 makes a request of HTTP/1.1 or HTTP/1.0, byte for byte as it is written: no library mends it.
func speakHTTP1(c net.Conn, r verdict.Request) heard {
	return converse(c, r, bufio.NewReader(c))
}

// converse writes a request while it reads the answer: a refusal can come before a long body was sent.
func converse(c net.Conn, r verdict.Request, from *bufio.Reader) heard {
	go func() { _, _ = io.Copy(c, requestText(r)) }()
	return heardHTTP1(from, r.Method)
}

// requestText is the request as it goes over the wire.
func requestText(r verdict.Request) io.Reader {
	version := "HTTP/1.1"
	if r.Protocol == "HTTP/1.0" {
		version = r.Protocol
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s %s\r\n", cmp.Or(r.Method, http.MethodGet), cmp.Or(r.Path, "/"), version)
	if r.Host != "" {
		fmt.Fprintf(&head, "Host: %s\r\n", r.Host)
	}
	for _, h := range r.Headers {
		fmt.Fprintf(&head, "%s: %s\r\n", h.Name, h.Value)
	}
	framed := slices.ContainsFunc(r.Headers, func(h verdict.Header) bool {
		return strings.EqualFold(h.Name, "Content-Length") || strings.EqualFold(h.Name, "Transfer-Encoding")
	})
	if r.Body > 0 && !framed {
		fmt.Fprintf(&head, "Content-Length: %d\r\n", r.Body)
	}
	head.WriteString("\r\n")
	return io.MultiReader(&head, io.LimitReader(filling{}, int64(r.Body)))
}

// filling is an endless body.
type filling struct{}

// Read implements io.Reader.
func (filling) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// longestAnswer bounds how much of an answer is read.
const longestAnswer = 1 << 20

// heardHTTP1 reads an answer, or the line that an echo server on a port without HTTP sends.
func heardHTTP1(from *bufio.Reader, method string) heard {
	first, err := from.Peek(1)
	if err != nil {
		return heard{err: err}
	}
	if first[0] == '{' {
		line, err := from.ReadBytes('\n')
		return heard{body: line, err: err}
	}
	for {
		response, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil {
			return heard{err: err}
		}
		if response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		h := heard{status: response.StatusCode, header: response.Header, closes: response.Close}
		if response.StatusCode != http.StatusSwitchingProtocols {
			h.body, h.err = io.ReadAll(io.LimitReader(response.Body, longestAnswer))
		}
		return h
	}
}
