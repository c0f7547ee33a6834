//go:build linux

package local

import (
	"cmp"
	"io"
	"os"
	"strings"
)

// readable is how much of a log a person would read.
const readable = 16 << 10

// tail is the end of a file, at most so many bytes; empty when it cannot be read.
func tail(path string, most int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if stat, err := f.Stat(); err == nil && stat.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	return string(text)
}

// lastComplaint is what an Envoy complained of last, else the last line of its log.
func lastComplaint(log string) string {
	text := tail(log, readable)
	if complaint := Complaint(text); complaint != "" {
		return complaint
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return cmp.Or(strings.TrimSpace(lines[len(lines)-1]), "it said nothing")
}
