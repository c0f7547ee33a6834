package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

// webPort is where every program but the database listens.
const webPort = 14001

// A usageError is the user's: a flag or a variable that says nothing sensible.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Settings are the flags of one program. Most of them can come from the environment too; a flag wins.
type settings struct {
	*flag.FlagSet
	getenv func(string) string
	wrong  []error
}

func newSettings(name string, w world) *settings {
	flags := flag.NewFlagSet("fsm-demo "+name, flag.ContinueOnError)
	flags.SetOutput(w.err)
	return &settings{FlagSet: flags, getenv: w.getenv}
}

// read reads the arguments. What the environment said wrongly is an error even where a flag overrides it.
func (s *settings) read(args []string) error {
	if err := s.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if s.NArg() > 0 {
		s.wrong = append(s.wrong, fmt.Errorf("unexpected argument %q", s.Arg(0)))
	}
	if len(s.wrong) > 0 {
		return usageError{errors.Join(s.wrong...)}
	}
	return nil
}

// from returns what the environment says, or else.
func (s *settings) from(variable, otherwise string) string {
	if text := s.getenv(variable); text != "" {
		return text
	}
	return otherwise
}

// value declares a flag whose text is parsed by parse. Its default is the variable's text, or otherwise.
func value[T any](s *settings, name, variable, otherwise, help string, parse func(string) (T, error)) *T {
	out := new(T)
	set := func(text string) error {
		parsed, err := parse(text)
		if err != nil {
			return err
		}
		*out = parsed
		return nil
	}
	text := otherwise
	if variable != "" {
		text = s.from(variable, otherwise)
		help += " (" + variable + ")"
	}
	if err := set(text); err != nil {
		s.wrong = append(s.wrong, fmt.Errorf("%s=%q: %w", variable, text, err))
	}
	if otherwise != "" {
		help += ", default " + otherwise
	}
	s.Func(name, help, set)
	return out
}

func (s *settings) port(otherwise int) *int {
	return value(s, "port", "", strconv.Itoa(otherwise), "the `port` to listen on, on every address", func(text string) (int, error) {
		return whole(text, 0, 65535)
	})
}

func (s *settings) journal() *calls.Format {
	return value(s, "log", "", string(calls.Text), "how each call is written to stdout: `json`, text or none", func(text string) (calls.Format, error) {
		switch format := calls.Format(text); format {
		case calls.JSON, calls.Text, calls.None:
			return format, nil
		}
		return "", errors.New("want json, text or none")
	})
}

func (s *settings) number(name, variable, otherwise, help string, lowest int) *int {
	return value(s, name, variable, otherwise, help, func(text string) (int, error) { return whole(text, lowest, 1_000_000) })
}

func whole(text string, lowest, highest int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < lowest || n > highest {
		return 0, fmt.Errorf("want a number from %d to %d", lowest, highest)
	}
	return n, nil
}

func (s *settings) text(name, variable, otherwise, help string) *string {
	return value(s, name, variable, otherwise, help, func(text string) (string, error) { return text, nil })
}

// address declares a flag for a host and a port.
func (s *settings) address(name, otherwise, help string) *string {
	return value(s, name, "", otherwise, help, func(text string) (string, error) {
		host, port, err := net.SplitHostPort(text)
		if err != nil {
			return "", errors.New("want HOST:PORT")
		}
		if _, err := whole(port, 1, 65535); err != nil {
			return "", fmt.Errorf("port %q: %w", port, err)
		}
		if u, err := url.Parse("http://" + text); err != nil || u.Host != text || host == "" {
			return "", fmt.Errorf("%q is no host", host)
		}
		return text, nil
	})
}

// seconds reads a time as a number of seconds, fractions included, or with a unit.
func seconds(text string) (time.Duration, error) {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n <= 86400 {
		return time.Duration(n * float64(time.Second)), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, errors.New("want seconds, such as 0.2, or a time with a unit, such as 200ms")
}

// A span is a range of times.
type span struct{ from, to time.Duration }

// between reads a range of times such as 150ms-900ms, or a single one.
func between(text string) (span, error) {
	first, last, found := strings.Cut(text, "-")
	if !found {
		last = first
	}
	from, err := seconds(first)
	if err != nil {
		return span{}, err
	}
	to, err := seconds(last)
	if err == nil && to < from {
		err = errors.New("the first time has to be the shorter one")
	}
	return span{from, to}, err
}
