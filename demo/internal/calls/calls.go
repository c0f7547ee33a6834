// Package calls makes the calls of the demo's programs and keeps a journal of them: who called whom, with what verdict.
package calls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// A Verdict is what became of a call, as its caller saw it.
type Verdict string

const (
	// Allowed is when the server itself answered, with a status below 400.
	Allowed Verdict = "allowed"
	// Denied is when somebody in between said no in words, with 403.
	Denied Verdict = "denied"
	// Refused is when nobody answered: the connection was refused, reset or closed. The status is 0.
	Refused Verdict = "refused"
	// Failed is anything else, such as a name that does not resolve, a timeout or a server's error.
	Failed Verdict = "failed"
)

// A Call is one line of the journal.
type Call struct {
	Time time.Time `json:"time"`
	// From is the identity of the caller, for example bookbuyer.
	From string `json:"from"`
	// To is the host and port it called.
	To string `json:"to"`
	// Request is what it asked for: method and path, or the kind of SQL statement.
	Request string  `json:"request"`
	Verdict Verdict `json:"verdict"`
	// Status is that of the HTTP answer; 0 where there was none.
	Status int `json:"status"`
	// Server is who answered, by its own words: the header Identity.
	Server string `json:"server,omitempty"`
	// Reason says why a call that was not allowed was not.
	Reason string `json:"reason,omitempty"`
	// Milliseconds is how long the caller waited.
	Milliseconds float64 `json:"milliseconds"`
	// Expected says whether the caller was prepared for this status.
	Expected bool `json:"expected"`
}

// A Client makes the HTTP calls of one program over connections of its own.
type Client struct {
	from    string
	journal *Journal
	http    *http.Client
}

// Timeout is how long a call may take.
const Timeout = 10 * time.Second

// NewClient returns a client that calls as from and writes each call to the journal. It never uses a proxy from the environment: the mesh is the
// only thing between caller and server.
func NewClient(from string, journal *Journal) *Client {
	dialer := &net.Dialer{Timeout: Timeout / 2}
	return &Client{from: from, journal: journal, http: &http.Client{
		Timeout:       Timeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Do makes one call, writes it to the journal and returns it. It was expected if the status is one of these; without any, if it was allowed.
func (c *Client) Do(request *http.Request, expected ...int) Call {
	began := time.Now()
	call := Call{Time: began, From: c.from, To: request.URL.Host, Request: request.Method + " " + request.URL.Path}
	response, err := c.http.Do(request)
	if err == nil {
		call.Status, call.Server = response.StatusCode, response.Header.Get("Identity")
		call.Reason, err = firstLine(response.Body)
	}
	call.Verdict = Judge(call.Status, err)
	switch {
	case err != nil:
		call.Status, call.Reason = 0, Reason(err)
	case call.Verdict == Allowed:
		call.Reason = ""
	case call.Reason == "":
		call.Reason = http.StatusText(call.Status)
	}
	call.Expected = expects(expected, call)
	call.Milliseconds = Milliseconds(time.Since(began))
	// A call that was cut off because the program ends says nothing about the mesh.
	if !errors.Is(request.Context().Err(), context.Canceled) {
		c.journal.Write(call)
	}
	return call
}

// firstLine returns the first line of a body, which it reads to the end so that the connection can be used again.
func firstLine(body io.ReadCloser) (string, error) {
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(io.LimitReader(body, 64<<10))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line, nil
}

func expects(statuses []int, call Call) bool {
	if len(statuses) == 0 {
		return call.Verdict == Allowed
	}
	for _, status := range statuses {
		// No answer is expected only as a refusal: a name that does not resolve proves nothing about the mesh.
		if status == call.Status && (status != 0 || call.Verdict == Refused) {
			return true
		}
	}
	return false
}

// Judge returns the verdict of a call that got this status, 0 for none, and this error.
func Judge(status int, err error) Verdict {
	switch {
	case err != nil && refused(err):
		return Refused
	case err != nil, status == 0:
		return Failed
	case status == http.StatusForbidden:
		return Denied
	case status >= http.StatusBadRequest:
		return Failed
	}
	return Allowed
}

func refused(err error) bool {
	for _, e := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Reason says an error of a connection in few words, without repeating what was called.
func Reason(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fmt.Sprintf("the name %s does not resolve", dns.Name)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	for _, known := range []struct {
		err  error
		says string
	}{
		{syscall.ECONNREFUSED, "connection refused"},
		{syscall.ECONNRESET, "connection reset"},
		{syscall.EPIPE, "connection closed without an answer"},
		{io.ErrUnexpectedEOF, "connection closed without an answer"},
		{io.EOF, "connection closed without an answer"},
	} {
		if errors.Is(err, known.err) {
			return known.says
		}
	}
	return err.Error()
}

// Milliseconds returns a duration with one digit after the point.
func Milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}
