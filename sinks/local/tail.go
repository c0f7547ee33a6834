//go:build linux

package local

import (
	"io"
	"os"
	"regexp"
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

// logPrefix is what Envoy puts before each line of its log: time, thread, level, component and place.
var logPrefix = regexp.MustCompile(`^\[[^\]]*\]\[\d+\]\[(\w+)\]\[\w+\] (\[[^\]]*\] )?`)

// lastComplaint is what an Envoy said last that is worse than a warning, with the lines that belong to it, else the last
// line of its log.
func lastComplaint(log string) string {
	message, last, found := "", "it said nothing", false
	for line := range strings.Lines(tail(log, readable)) {
		match := logPrefix.FindStringSubmatch(line)
		switch {
		case match == nil && found:
			message += line
		case match != nil && (match[1] == "critical" || match[1] == "error"):
			message, found = strings.TrimPrefix(line, match[0]), true
		case match != nil:
			found = false
		}
		if text := strings.TrimSpace(line); text != "" {
			last = text
		}
	}
	if message == "" {
		return last
	}
	return strings.TrimSpace(message)
}
