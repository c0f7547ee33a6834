//go:build linux

package local

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
)

// isWebsocket says whether a request asks for a websocket (RFC 6455, section 4.2.1).
func isWebsocket(r *http.Request) bool {
	return r.ProtoMajor == 1 && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && r.Header.Get("Sec-Websocket-Key") != ""
}

// serveWebsocket accepts, sends a greeting, and then sends back what it gets.
func serveWebsocket(w http.ResponseWriter, r *http.Request, greeting []byte) {
	workload := w.Header().Get(workloadHeader)
	c, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + acceptance(r.Header.Get("Sec-Websocket-Key")) + "\r\n" + workloadHeader + ": " + workload + "\r\n\r\n"
	if _, err := c.Write(append([]byte(head), frame{opcode: textFrame, content: greeting}.bytes()...)); err != nil {
		return
	}
	for {
		f, err := readFrame(buffered.Reader)
		if err != nil {
			return
		}
		if f.opcode == pingFrame {
			f.opcode = pongFrame
		}
		if _, err := c.Write(frame{opcode: f.opcode, content: f.content}.bytes()); err != nil || f.opcode == closeFrame {
			return
		}
	}
}

// acceptance is what a server proves with that it has understood.
func acceptance(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// frame is a whole frame of a websocket (RFC 6455, section 5.2). A client's frames have a mask.
type frame struct {
	opcode  byte
	masked  bool
	content []byte
}

const (
	textFrame  byte = 1
	closeFrame byte = 8
	pingFrame  byte = 9
	pongFrame  byte = 10
)

// longestFrame bounds what is read into memory.
const longestFrame = 1 << 20

func (f frame) bytes() []byte {
	const final = 0x80
	b := []byte{final | f.opcode}
	var mask byte
	if f.masked {
		mask = 0x80
	}
	switch n := len(f.content); {
	case n < 126:
		b = append(b, mask|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	if f.masked {
		b = append(b, 0, 0, 0, 0) // This mask changes nothing.
	}
	return append(b, f.content...)
}

func readFrame(r *bufio.Reader) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{opcode: head[0] & 0x0f, masked: head[1]&0x80 != 0}
	length, err := frameLength(r, head[1]&0x7f)
	if err != nil {
		return frame{}, err
	}
	var mask [4]byte
	if f.masked {
		if _, err := io.ReadFull(r, mask[:]); err != nil {
			return frame{}, err
		}
	}
	f.content = make([]byte, length)
	_, err = io.ReadFull(r, f.content)
	for i := range f.content {
		f.content[i] ^= mask[i%4]
	}
	return f, err
}

// frameLength is the length that the seven bits of a head stand for.
func frameLength(r io.Reader, short byte) (uint64, error) {
	length := uint64(short)
	var err error
	switch short {
	case 126:
		var long uint16
		err = binary.Read(r, binary.BigEndian, &long)
		length = uint64(long)
	case 127:
		err = binary.Read(r, binary.BigEndian, &length)
	}
	if err == nil && length > longestFrame {
		err = errors.New("the frame is too long")
	}
	return length, err
}
