package files

import (
	"bytes"
	"encoding/binary"
	"sort"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/flomesh-io/fsmc/model"
)

// text is a file that was read, without its byte order mark.
type text struct {
	name string
	data []byte
	// raw are the bytes of the file.
	raw []byte

	once   sync.Once
	starts []int
}

func newText(name string, data []byte) *text { return &text{name: name, data: utf8Of(data), raw: data} }

// utf8Of is a text without its byte order mark. Some shells write UTF-16 into files.
func utf8Of(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(data, []byte("\ufeff"))
	}
	units := make([]uint16, 0, len(data)/2)
	for at := 2; at+1 < len(data); at += 2 {
		units = append(units, order.Uint16(data[at:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// lines are the offsets at which lines start. They are found when they are first needed: a dump of a cluster that has
// nothing wrong in it does not need them.
func (t *text) lines() []int {
	t.once.Do(func() {
		t.starts = append(make([]int, 0, 1+bytes.Count(t.data, []byte{'\n'})), 0)
		for at := lineEnd(t.data, 0); at > 0; at = lineEnd(t.data, at) {
			t.starts = append(t.starts, at)
		}
	})
	return t.starts
}

// lineEnd is the offset behind the line at hand, or 0 if it is the last. Lines end in LF, CR or both.
func lineEnd(data []byte, at int) int {
	end := bytes.IndexByte(data[at:], '\n') + 1
	line := data[at:]
	if end > 0 {
		line = data[at : at+end]
	}
	if i := bytes.IndexByte(line, '\r') + 1; i > 0 && i+1 != end {
		return at + i
	}
	if end == 0 {
		return 0
	}
	return at + end
}

// lineAt is a line, which counts from 0 here, with its end, and the offset behind it.
func (t *text) lineAt(index int) ([]byte, int) {
	starts, end := t.lines(), len(t.data)
	if index+1 < len(starts) {
		end = starts[index+1]
	}
	return t.data[starts[index]:end], end
}

// place is a position that the YAML parser names. In YAML 1.1 lines also end in characters that no editor breaks a line
// at, so that the parser can count more lines than there are.
func (t *text) place(line, column int) model.Position {
	return model.Position{File: t.name, Line: min(line, len(t.lines())), Column: column}
}

// line is the text of a line, which counts from 1, without its end.
func (t *text) line(number int) (string, bool) {
	if number < 1 || number > len(t.lines()) {
		return "", false
	}
	content, _ := t.lineAt(number - 1)
	return strings.TrimRight(string(content), "\r\n"), true
}

// position is where an offset is; columns count characters.
func (t *text) position(offset int) model.Position {
	starts := t.lines()
	line := sort.SearchInts(starts, offset+1)
	column := utf8.RuneCount(t.data[starts[line-1]:min(offset, len(t.data))]) + 1
	return model.Position{File: t.name, Line: line, Column: column}
}
