package logs

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name string
		want slog.Level
	}{
		{"trace", -8}, {"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn}, {"error", slog.LevelError},
		{"fatal", 12}, {"panic", 16}, {"disabled", math.MaxInt},
		{"", slog.LevelInfo}, {"Debug", slog.LevelDebug}, {"DISABLED", math.MaxInt},
	} {
		got, err := Parse(c.name)
		if err != nil || got != c.want {
			t.Errorf("%q is %d, %v", c.name, got, err)
		}
		if name := Name(got); c.name != "" && !strings.EqualFold(name, c.name) {
			t.Errorf("%q comes back as %q", c.name, name)
		}
	}
	for level, want := range map[slog.Level]string{-100: "trace", 1: "info", 5: "warn", 1000: "panic"} {
		if got := Name(level); got != want {
			t.Errorf("%d is called %q", level, got)
		}
	}
}

func TestAnUnknownNameChangesNothing(t *testing.T) {
	level := &Level{}
	if err := level.Set("warn"); err != nil {
		t.Fatal(err)
	}
	err := level.Set("loud\n")
	if err == nil || !strings.Contains(err.Error(), "trace, debug, info") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %v", err)
	}
	if got := level.String(); got != "warn" {
		t.Errorf("the level is %q", got)
	}
}

// TestWhoeverSpokeLastDecides: the settings set the level when they change, and what was set by hand stays until then.
func TestWhoeverSpokeLastDecides(t *testing.T) {
	level := &Level{}
	for _, step := range []struct {
		do   func(string) error
		name string
		want string
	}{
		{level.Follow, "", "info"}, {level.Follow, "warn", "warn"}, {level.Set, "trace", "trace"}, {level.Follow, "warn", "trace"},
		{level.Follow, "error", "error"}, {level.Follow, "", "info"},
	} {
		if err := step.do(step.name); err != nil || level.String() != step.want {
			t.Errorf("after %q the level is %q, not %q (%v)", step.name, level, step.want, err)
		}
	}
	if err := level.Follow("loud"); err == nil || level.String() != "info" {
		t.Errorf("an unknown setting: %v, %v", err, level)
	}
}

// TestTheLevelChangesWhileItLogs has one logger whose level is moved.
func TestTheLevelChangesWhileItLogs(t *testing.T) {
	var b strings.Builder
	level := &Level{}
	log, err := New(&b, "json", level)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if err := level.Set(name); err != nil {
			t.Fatal(err)
		}
		for _, n := range names() {
			if n.name != "disabled" {
				log.Log(context.Background(), n.level, name+" hears "+n.name)
			}
		}
	}
	if got, want := strings.Count(b.String(), "\n"), 7+6+5+4+3+2+1; got != want {
		t.Errorf("%d lines instead of %d:\n%s", got, want, b.String())
	}
}

func TestFormats(t *testing.T) {
	var b strings.Builder
	log, err := New(&b, "json", &Level{})
	if err != nil {
		t.Fatal(err)
	}
	log.With("component", "ads").Warn("refused", "cause", "limit", slog.Group("peer", "msg", "kept"))
	var line map[string]any
	if err := json.Unmarshal([]byte(b.String()), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	want := map[string]any{"level": "warn", "message": "refused", "component": "ads", "cause": "limit", "peer": map[string]any{"msg": "kept"}}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	log, err = New(&b, "text", &Level{})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("a line\nand no other")
	if got := b.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=info message="a line\nand no other"`) {
		t.Errorf("the text is %q", got)
	}
	if _, err := New(&b, "xml", &Level{}); err == nil {
		t.Error("there is a format xml")
	}
}

func TestFromSeveralGoroutines(t *testing.T) {
	level := &Level{}
	log, err := New(io.Discard, "json", level)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for _, name := range Names() {
		wait.Go(func() { _ = level.Set(name) })
		wait.Go(func() { _ = level.Follow(name) })
		wait.Go(func() { log.Info(level.String()) })
	}
	wait.Wait()
	if err := level.Set("error"); err != nil || level.Level() != slog.LevelError {
		t.Errorf("afterwards the level is %s (%v)", level, err)
	}
}
