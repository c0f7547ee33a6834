package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is a terminal's memory.
type screen struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.written <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func TestProgressTellsAfterASecond(t *testing.T) {
	begin := time.Now()
	for _, test := range []struct {
		name    string
		elapsed time.Duration
		want    string
	}{
		{"soon done", 500 * time.Millisecond, ""},
		{"slow", 3 * time.Second, "\r\x1b[Kcompiling, 3 s, 7 of 9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			screen := &screen{written: make(chan struct{})}
			var mu sync.Mutex
			now := begin
			p := newProgress(world{err: screen, now: func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return now
			}})
			p.doing("compiling")
			p.count(7, 9)
			p.count(3, 9)
			mu.Lock()
			now = begin.Add(test.elapsed)
			mu.Unlock()
			if test.want != "" {
				<-screen.written
			}
			p.end()
			got := screen.text.String()
			if !strings.HasPrefix(got, test.want) || test.want != "" && !strings.HasSuffix(got, "\r\x1b[K") || test.want == "" && got != "" {
				t.Errorf("it shows %q", got)
			}
		})
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	p := startProgress(world{err: &screen{}, now: time.Now})
	if p != nil {
		t.Error("a pipe is taken for a terminal")
	}
	p.doing("something")
	p.count(1, 2)
	p.end()
}
