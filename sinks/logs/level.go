package logs

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
)

// named is a level with the name that fsmLogLevel has for it.
type named struct {
	name  string
	level slog.Level
}

// names are all names, from everything to nothing. Nothing is ever logged at the last.
func names() []named {
	return []named{
		{"trace", slog.LevelDebug - 4}, {"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn},
		{"error", slog.LevelError}, {"fatal", slog.LevelError + 4}, {"panic", slog.LevelError + 8}, {"disabled", math.MaxInt},
	}
}

// Names are the names of levels, from the most to the least that is logged.
func Names() []string {
	var all []string
	for _, n := range names() {
		all = append(all, n.name)
	}
	return all
}

// Parse is the level of a name in any case; "" is info.
func Parse(name string) (slog.Level, error) {
	for _, n := range names() {
		if strings.EqualFold(n.name, cmp.Or(name, "info")) {
			return n.level, nil
		}
	}
	return 0, fmt.Errorf("%q is not a level of logging: it is one of %s", name, strings.Join(Names(), ", "))
}

// Name is the name of the highest level that is not above the given one.
func Name(level slog.Level) string {
	all := names()
	for _, n := range slices.Backward(all) {
		if n.level <= level {
			return n.name
		}
	}
	return all[0].name
}

// Level is the level of a logger, which can be changed while it logs. The zero value is info.
type Level struct {
	current slog.LevelVar
	mu      sync.Mutex
	setting string
}

// Level implements slog.Leveler.
func (l *Level) Level() slog.Level { return l.current.Level() }

// String is the name of the level.
func (l *Level) String() string { return Name(l.current.Level()) }

// Set changes the level to the one of a name. If there is none, the level stays.
func (l *Level) Set(name string) error {
	level, err := Parse(name)
	if err == nil {
		l.current.Set(level)
	}
	return err
}

// Follow sets the level that the settings of the mesh want (fsmLogLevel), whenever that is another than at the last call.
// What was Set meanwhile stays until then.
func (l *Level) Follow(setting string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if setting == l.setting {
		return nil
	}
	l.setting = setting
	return l.Set(setting)
}
