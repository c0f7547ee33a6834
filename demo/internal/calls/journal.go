package calls

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// A Format is how a journal is written.
type Format string

const (
	// JSON is one object a line.
	JSON Format = "json"
	// Text is one line for people.
	Text Format = "text"
	// None is nothing.
	None Format = "none"
)

// A Journal writes calls, each as one line in one piece. Its methods may be called at the same time.
type Journal struct {
	mu     sync.Mutex
	out    io.Writer
	format Format
}

// NewJournal returns a journal that writes to out.
func NewJournal(out io.Writer, format Format) *Journal {
	return &Journal{out: out, format: format}
}

// Write writes one call. A reader that went away is no reason to stop buying books, so that its error is dropped.
func (j *Journal) Write(call Call) {
	var line []byte
	switch j.format {
	case JSON:
		line = jsonLine(call)
	case Text:
		line = textLine(call)
	default:
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.out.Write(line)
}

func jsonLine(call Call) []byte {
	line, err := json.Marshal(call)
	if err != nil {
		panic(err) // A Call has nothing that JSON cannot say.
	}
	return append(line, '\n')
}

func textLine(call Call) []byte {
	line := fmt.Appendf(nil, "%s %-7s %3d  %s → %s  %s  %.1f ms", call.Time.Format("15:04:05.000"), call.Verdict, call.Status, call.From, call.To,
		call.Request, call.Milliseconds)
	if call.Server != "" {
		line = append(line, "  by "+call.Server...)
	}
	if call.Reason != "" {
		line = append(line, ": "+call.Reason...)
	}
	return append(line, '\n')
}
