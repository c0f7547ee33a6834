//go:build linux

package local

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/flomesh-io/fsmc/verdict"
)

// heard is what came back on a connection.
type heard struct {
	// from is the address that the connection was made from.
	from netip.AddrPort
	// status is 0 when what came back was no HTTP.
	status int
	// header has the trailers as well.
	header http.Header
	body   []byte
	// closes says that the server closes the connection after this answer.
	closes bool
	// err is why nothing came back.
	err error
}

// answer judges what was heard by itself. The echo server proves who it is; of another program, everything counts as its
// answer that does not look like one of Envoy's own.
func (h heard) answer() verdict.Answer {
	answer := verdict.Answer{Status: h.status, Backend: h.header.Get(workloadHeader)}
	said, isEcho := h.echo()
	switch {
	case isEcho:
		answer.Allowed, answer.Echo, answer.Backend = true, said, said.Workload
	case answer.Backend != "":
		answer.Allowed = true
	case h.err != nil:
		answer.Reason = words(h.err)
	case h.status == 0:
		answer.Allowed = true
	default:
		answer.Reason = h.refusal()
		answer.Allowed = answer.Reason == ""
	}
	return answer
}

// echo is what the echo server said: the whole body, the line that a connection begins with, or a header.
func (h heard) echo() (said verdict.Echo, ok bool) {
	for _, text := range []string{string(h.body), h.header.Get(echoHeader)} {
		line, _, _ := strings.Cut(text, "\n")
		if json.Unmarshal([]byte(line), &said) == nil && said.Workload != "" {
			return said, true
		}
	}
	return verdict.Echo{}, false
}

// refusal says in words that an HTTP answer is Envoy's own; it is empty when that cannot be told from the answer.
func (h heard) refusal() string {
	body := strings.TrimSpace(string(h.body))
	if message := h.header.Get("Grpc-Message"); body == "" && message != "" {
		body = message
	}
	for _, beginning := range []string{"RBAC: access denied", "no healthy upstream", "upstream connect error", "upstream request timeout"} {
		if strings.HasPrefix(body, beginning) {
			return fmt.Sprintf("%d: %s", h.status, body)
		}
	}
	if body == "" && h.status >= 400 {
		return strings.TrimSpace(fmt.Sprintf("%d %s", h.status, http.StatusText(h.status)))
	}
	return ""
}
