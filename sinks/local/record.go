//go:build linux

package local

import (
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"
)

// record is a line of a sidecar's access log, as far as it explains an answer.
type record struct {
	Code              any    `json:"response_code"`
	CodeDetails       string `json:"response_code_details"`
	Flags             string `json:"response_flags"`
	Termination       string `json:"connection_termination_details"`
	TransportFailure  string `json:"upstream_transport_failure_reason"`
	UpstreamHost      string `json:"upstream_host"`
	DownstreamAddress string `json:"downstream_remote_address"`
}

// details are the words that explain a refusal; empty when there are none.
func (r record) details() string {
	var words []string
	for _, w := range []struct{ name, value string }{
		{"", r.CodeDetails}, {"flags ", r.Flags}, {"", r.Termination}, {"", r.TransportFailure},
	} {
		if w.value != "" && w.value != "-" && w.value != "via_upstream" {
			words = append(words, w.name+w.value)
		}
	}
	return strings.Join(words, ", ")
}

// records are the lines that a sidecar writes from now on.
type records struct {
	log  string
	from int64
}

// recordsFrom begins to look at what the sidecar of a pod writes.
func (m *machine) recordsFrom(p *pod) records {
	if p.sidecar == nil {
		return records{}
	}
	stat, err := os.Stat(p.sidecar.log)
	if err != nil {
		return records{}
	}
	return records{p.sidecar.log, stat.Size()}
}

// find finds the record of a connection by the address that it came from. A record is written when the connection or
// the request ends, so that it is waited for a moment.
func (r records) find(ctx context.Context, client netip.AddrPort) record {
	const times, pause = 10, 10 * time.Millisecond
	for range times {
		if found, ok := r.look(client.String()); ok || r.log == "" || !client.IsValid() {
			return found
		}
		select {
		case <-ctx.Done():
			return record{}
		case <-time.After(pause):
		}
	}
	return record{}
}

func (r records) look(client string) (record, bool) {
	f, err := os.Open(r.log)
	if err != nil {
		return record{}, false
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.NewSectionReader(f, r.from, 4<<20))
	if err != nil {
		return record{}, false
	}
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, client) {
			continue
		}
		var found record
		if json.Unmarshal([]byte(line), &found) == nil && found.DownstreamAddress == client {
			return found, true
		}
	}
	return record{}, false
}
