//go:build linux

package local

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"
)

// speakBytes sends a few bytes and waits for any, up to the end of a line.
func speakBytes(c net.Conn) heard {
	go func() { _, _ = c.Write([]byte("ping\n")) }() // A server that speaks first may not read yet.
	r := bufio.NewReaderSize(c, longestLine)
	line, err := r.ReadSlice('\n')
	if strings.HasPrefix(string(line), "HTTP/1.") {
		return heardHTTP1(bufio.NewReader(strings.NewReader(string(line)+"\r\n")), http.MethodGet)
	}
	if len(line) == 0 || errors.Is(err, bufio.ErrBufferFull) {
		return heard{err: err}
	}
	return heard{body: line}
}

// longestLine bounds what an application may say in one line.
const longestLine = 64 << 10
