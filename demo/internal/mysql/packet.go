package mysql

import (
	"encoding/binary"
	"errors"
	"io"
)

// largest is the size of the largest packet that is read. The protocol allows 16 MiB and more; the demo's statements are short.
const largest = 1 << 20

var errTooLarge = errors.New("the packet is larger than 1 MiB")

// A wire reads and writes packets: three bytes of length, one that counts the packets of an exchange, and the payload.
type wire struct {
	io.ReadWriter
	sequence byte
}

func (w *wire) read() ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(w, header[:]); err != nil {
		return nil, err
	}
	w.sequence = header[3] + 1
	size := int(header[0]) | int(header[1])<<8 | int(header[2])<<16
	if size > largest {
		return nil, errTooLarge
	}
	payload := make([]byte, size)
	_, err := io.ReadFull(w, payload)
	return payload, err
}

// write sends packets with a single system call.
func (w *wire) write(payloads ...[]byte) error {
	var all []byte
	for _, payload := range payloads {
		if len(payload) > largest {
			return errTooLarge
		}
		all = append(all, byte(len(payload)), byte(len(payload)>>8), byte(len(payload)>>16), w.sequence)
		all = append(all, payload...)
		w.sequence++
	}
	_, err := w.Write(all)
	return err
}

// appendLength appends a number in the protocol's variable length.
func appendLength(b []byte, n uint64) []byte {
	switch {
	case n < 251:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.LittleEndian.AppendUint16(append(b, 0xfc), uint16(n))
	case n < 1<<24:
		return append(b, 0xfd, byte(n), byte(n>>8), byte(n>>16))
	}
	return binary.LittleEndian.AppendUint64(append(b, 0xfe), n)
}

func appendText(b []byte, text string) []byte {
	return append(appendLength(b, uint64(len(text))), text...)
}

// A fields reads the fields of one payload. Once something is missing, everything after it is empty and short is true.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.rest) {
		f.rest, f.short = nil, true
		return make([]byte, n)
	}
	taken := f.rest[:n]
	f.rest = f.rest[n:]
	return taken
}

func (f *fields) byte() byte     { return f.take(1)[0] }
func (f *fields) uint32() uint32 { return binary.LittleEndian.Uint32(f.take(4)) }

// zeroEnded reads a text that ends with a zero byte.
func (f *fields) zeroEnded() string {
	for i, b := range f.rest {
		if b == 0 {
			text := string(f.rest[:i])
			f.rest = f.rest[i+1:]
			return text
		}
	}
	f.rest, f.short = nil, true
	return ""
}
