package logs

import (
	"fmt"
	"io"
	"log/slog"
)

// New makes a logger that writes lines of a format, which is json or text, from a level on. The keys are those that
// FSM's own logs have: time, level and message.
func New(w io.Writer, format string, level *Level) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: familiar}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return nil, fmt.Errorf("%q is not a format of logs: it is json or text", format)
}

// familiar spells what is in every line the way that FSM does.
func familiar(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.MessageKey:
		a.Key = "message"
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			a.Value = slog.StringValue(Name(level))
		}
	}
	return a
}
