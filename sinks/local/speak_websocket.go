//go:build linux

package local

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"

	"github.com/flomesh-io/fsmc/verdict"
)

// speakWebsocket asks for a websocket and, when it gets one, sends a message and waits for it to come back.
func speakWebsocket(c net.Conn, r verdict.Request) heard {
	from := bufio.NewReader(c)
	h := askWebsocket(c, r, from)
	if h.err != nil || h.status != http.StatusSwitchingProtocols {
		return h
	}
	if h.body, h.err = exchangeMessage(c, from, []byte("ping")); h.err != nil {
		return heard{err: h.err}
	}
	return h
}

// askWebsocket asks for a websocket.
func askWebsocket(c net.Conn, r verdict.Request, from *bufio.Reader) heard {
	const key = "AAAAAAAAAAAAAAAAAAAAAA=="
	r.Body, r.Protocol = 0, "websocket"
	r.Headers = slices.Concat(r.Headers, []verdict.Header{
		{Name: "Upgrade", Value: "websocket"}, {Name: "Connection", Value: "Upgrade"},
		{Name: "Sec-WebSocket-Version", Value: "13"}, {Name: "Sec-WebSocket-Key", Value: key},
	})
	return converse(c, r, from)
}

// exchangeMessage sends a message on a websocket and waits for it to come back. What comes before it is returned: the echo
// server begins with what it says of itself.
func exchangeMessage(c io.Writer, from *bufio.Reader, content []byte) (before []byte, err error) {
	if _, err := c.Write(frame{opcode: textFrame, masked: true, content: content}.bytes()); err != nil {
		return nil, err
	}
	for {
		f, err := readFrame(from)
		switch {
		case err != nil:
			return nil, fmt.Errorf("the websocket was accepted, but the message did not come back: %w", err)
		case f.opcode == closeFrame:
			return nil, fmt.Errorf("the websocket was closed: %w", io.EOF)
		case bytes.Equal(f.content, content):
			return before, nil
		case before == nil:
			before = f.content
		}
	}
}
