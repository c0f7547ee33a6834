package ads

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"

	"github.com/flomesh-io/fsmc/compiler"
)

// state is the protocol that sends the state of the world. Messages of whole kinds have everything in them that the
// proxy is to have at that moment: what is new beside what is old and still used. Of other kinds they have what changed.
type state struct{}

func (state) name() string { return "state-of-the-world" }

func (state) whole() bool { return true }

// receive waits for a request.
func (state) receive(stream grpc.ServerStream) (request, error) { return read(stream, stateRequest) }

// stateRequest decodes a request.
func stateRequest(b []byte) (request, error) {
	m := &discoveryv3.DiscoveryRequest{}
	if err := decoded(b, m); err != nil {
		return request{}, err
	}
	r, err := newRequest(m.GetTypeUrl(), m.GetNode(), m.GetResponseNonce(), m.GetErrorDetail())
	r.names, r.version = m.GetResourceNames(), m.GetVersionInfo()
	return r, err
}

// take takes down a request.
func (state) take(p *progress, r request, now time.Time) { p.takeState(r, now) }

// response is the wire form of a message.
func (state) response(p *progress, m message, bytes func(*compiler.Resource) []byte) *response {
	url := kindURLs[m.kind]
	resources := m.puts
	if m.kind.whole() {
		resources = p.kinds[m.kind].holdings()
	}
	version := p.kinds[m.kind].stateVersion()
	r := newResponse(url, len(url)+len(version)+64, len(resources), 0)
	r.write(func(b []byte) []byte {
		b = appendString(appendString(b, stateVersion, version), stateType, url)
		return appendString(b, stateNonce, strconv.Itoa(m.nonce))
	})
	for _, put := range resources {
		r.addAny(url, bytes(put))
	}
	return r
}

// takeState takes down all the names that a proxy asks for.
func (p *progress) takeState(r request, now time.Time) {
	k := &p.kinds[r.kind]
	everything := r.kind.whole() && len(r.names) == 0 || slices.Contains(r.names, anything)
	names := slices.DeleteFunc(slices.Clone(r.names), func(n string) bool { return n == anything })
	if k.started.IsZero() {
		p.takeFirstState(request{kind: r.kind, subscribe: r.names, version: r.version}, now)
		return
	}
	k.everything = everything
	asked := map[string]bool{}
	for _, name := range names {
		asked[name] = true
		if e, open := k.open[name]; open && !e.asked || !open && k.want.find(name) == nil {
			p.subscribe(r.kind, name, now)
		}
	}
	if everything {
		return
	}
	for want := range k.want.resources.Values() {
		if !asked[want.Name] && (k.open[want.Name] == nil || k.open[want.Name].asked) {
			p.unsubscribe(r.kind, want.Name)
		}
	}
	for _, name := range k.names() {
		if !asked[name] && k.open[name].asked {
			p.unsubscribe(r.kind, name)
		}
	}
}

// takeFirstState begins a kind. If the proxy has the very state that it is to have, it is sent nothing.
func (p *progress) takeFirstState(r request, now time.Time) {
	p.take(r, now)
	k := &p.kinds[r.kind]
	if r.version == "" || r.version != k.wantedVersion() {
		return
	}
	k.owed = false
	for _, name := range k.names() {
		e, want := k.open[name], k.want.find(name)
		if want != nil && want.Version != "" && k.asks(e) {
			e.sent, e.has = want, want
			k.settle(name)
		}
	}
}

// holdings are what was sent and not removed, by name.
func (k *kindProgress) holdings() []*compiler.Resource {
	var list []*compiler.Resource
	for r := range k.want.resources.Values() {
		if _, open := k.open[r.Name]; !open {
			list = append(list, r)
		}
	}
	for _, name := range k.names() {
		if e := k.open[name]; e.sent != nil && k.asks(e) {
			list = append(list, e.sent)
		}
	}
	slices.SortFunc(list, byName)
	return list
}

// stateVersion is the version of all that was sent: the same for the same resources, whoever sends them.
func (k *kindProgress) stateVersion() string { return versionOf(k.holdings()) }

// wantedVersion is the version of all that the proxy asks for and is to have.
func (k *kindProgress) wantedVersion() string {
	var list []*compiler.Resource
	for r := range k.want.resources.Values() {
		if e, open := k.open[r.Name]; !open || k.asks(e) {
			list = append(list, r)
		}
	}
	return versionOf(list)
}

func versionOf(list []*compiler.Resource) string {
	h := sha256.New()
	for _, r := range list {
		h.Write([]byte(r.Name + "\x00" + r.Version + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}
