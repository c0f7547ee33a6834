//go:build linux

package local

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"
)

// record is a line of a sidecar's access log, as far as it explains an answer.
type record struct {
	RequestID         string `json:"request_id"`
	Details           string `json:"response_code_details"`
	Flags             string `json:"response_flags"`
	Termination       string `json:"connection_termination_details"`
	TransportFailure  string `json:"upstream_transport_failure_reason"`
	UpstreamHost      string `json:"upstream_host"`
	DownstreamAddress string `json:"downstream_remote_address"`
	// Called is the address that the client called.
	Called string `json:"downstream_local_address"`
	// Started is when the connection or the request began.
	Started time.Time `json:"start_time"`
}

// passedOn is what Envoy says of an answer that is not its own.
const passedOn = "via_upstream"

// words are those that explain a refusal; empty when there are none.
func (r record) words() string {
	var words []string
	for _, word := range []string{r.Details, r.Termination, r.TransportFailure} {
		if word != "" && word != passedOn {
			words = append(words, word)
		}
	}
	if r.Flags != "" && r.Flags != "-" {
		words = append(words, "flags "+r.Flags)
	}
	return strings.Join(words, ", ")
}

// from is where the connection came from.
func (r record) from() netip.AddrPort {
	address, _ := netip.ParseAddrPort(r.DownstreamAddress)
	return address
}

// upstream is where the sidecar has passed it on to; not valid when it has not.
func (r record) upstream() netip.AddrPort {
	address, _ := netip.ParseAddrPort(r.UpstreamHost)
	return address
}

// lastRecord is the last record near the end of a log that is wanted.
func lastRecord(log string, wanted func(record) bool) (found record, ok bool) {
	for line := range strings.Lines(tail(log, 256<<10)) {
		var r record
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &r) == nil && wanted(r) {
			found, ok = r, true
		}
	}
	return found, ok
}
