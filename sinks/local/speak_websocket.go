//go:build linux

package local

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/flomesh-io/fsmc/verdict"
)

// speakWebsocket asks for a websocket and, when it gets one, sends a message and waits for it to come back.
func speakWebsocket(c net.Conn, r verdict.Request) heard {
	const key = "AAAAAAAAAAAAAAAAAAAAAA=="
	r.Body = 0
	r.Headers = slices.Concat(r.Headers, []verdict.Header{
		{Name: "Upgrade", Value: "websocket"}, {Name: "Connection", Value: "Upgrade"},
		{Name: "Sec-WebSocket-Version", Value: "13"}, {Name: "Sec-WebSocket-Key", Value: key},
	})
	from := bufio.NewReader(c)
	h := converse(c, r, from)
	if h.err != nil || h.status != http.StatusSwitchingProtocols {
		return h
	}
	message := frame{opcode: textFrame, masked: true, content: []byte("ping")}
	if _, err := c.Write(message.bytes()); err != nil {
		return heard{err: err}
	}
	for {
		f, err := readFrame(from)
		if err != nil {
			return heard{err: fmt.Errorf("the websocket was accepted, but the message did not come back: %w", err)}
		}
		if bytes.Equal(f.content, message.content) {
			return h
		}
		if h.body == nil {
			h.body = f.content // The echo server begins with what it says of itself.
		}
	}
}
