// Package hostile asks real sidecars what hostile neighbours would: calls past the interception of the caller, with
// certificates that are not theirs, and forged headers. Each is refused, and something says why.
package hostile

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// Who is who, as certificates and headers name them.
const (
	client = "spiffe://cluster.local/ns/shop/sa/client"
	other  = "spiffe://cluster.local/ns/shop/sa/other"
	server = "spiffe://cluster.local/ns/shop/sa/server"
	sni    = "server.shop.svc.cluster.local"
)

// doors are the ways into the server's application, and what one says there.
var doors = []struct {
	name string
	port int
	send string
}{
	{"HTTP", 8080, "GET /page HTTP/1.1\r\nHost: server.shop\r\nConnection: close\r\n\r\n"},
	{"TCP", 9000, "ping\n"},
	{"server-first TCP", 3306, "ping\n"},
}

var families = []struct {
	name string
	has  func(netip.Addr) bool
}{
	{"IPv4", netip.Addr.Is4},
	{"IPv6", netip.Addr.Is6},
}

func TestHostileNeighbours(t *testing.T) {
	m := up(t)
	for _, part := range []struct {
		name string
		of   func(*mesh, *testing.T) []attempt
	}{
		{"doors", (*mesh).doors},
		{"ports of the sidecar", (*mesh).sidecarPorts},
		{"administration as a service", (*mesh).administration},
		{"a member whom no rule lists", (*mesh).member},
		{"forged headers", (*mesh).forgedHeaders},
	} {
		t.Run(part.name, func(t *testing.T) { m.try(t, part.of(m, t)) })
	}
}

// attempt is what somebody tries from a pod, and what must come of it.
type attempt struct {
	name, pod string
	question  question
	check     func(*testing.T, answer)
}

// try makes all attempts of a pod at once, and then looks at the answers.
func (m *mesh) try(t *testing.T, attempts []attempt) {
	t.Helper()
	questions, answers := map[string][]question{}, map[string][]answer{}
	for _, a := range attempts {
		questions[a.pod] = append(questions[a.pod], a.question)
	}
	for pod, list := range questions {
		answers[pod] = m.ask(t, pod, list)
	}
	for _, a := range attempts {
		got := answers[a.pod][0]
		answers[a.pod] = answers[a.pod][1:]
		t.Run(a.name, func(t *testing.T) { a.check(t, got) })
	}
}

// intruder is somebody at the server's doors.
type intruder struct {
	name string
	tls  *handshake
	// http, tcp are the reasons of the refusals, and one of the parts of each is enough. An empty one is no refusal.
	http, tcp string
}

// The reasons of refusals, as logs and alerts word them.
const (
	noChain    = "filter_chain_not_found"
	rbac       = "rbac_access_denied_matched_policy[none]"
	badName    = "SAN matcher|tls: unknown certificate"
	badChain   = "CERTIFICATE_VERIFY_FAILED|unknown certificate authority"
	badSeal    = "CERTIFICATE_VERIFY_FAILED|tls: error decrypting message"
	noLonger   = "has expired|expired certificate"
	notYet     = "not yet valid|expired certificate|bad certificate"
	noneAtAll  = "PEER_DID_NOT_RETURN_A_CERTIFICATE|certificate required"
	noneInTLS2 = "PEER_DID_NOT_RETURN_A_CERTIFICATE|handshake failure|certificate required"
	nobody     = "connection refused"
)

func (m *mesh) intruders(t *testing.T) []intruder {
	t.Helper()
	ours := stolen(t, m.path("ca"))
	theirs := another(t, pkix.Name{CommonName: "another"}, nil)
	twins := another(t, ours.certificate.Subject, ours.certificate.SubjectKeyId)
	admitted, unlisted := m.path("tree", "proxies", "shop", "client-0", "tls"), m.path("tree", "proxies", "shop", "other-0", "tls")
	with := func(certificate string) *handshake { return &handshake{certificate, sni, []string{"fsm"}, 0} }
	old := func(certificate string) *handshake {
		return &handshake{certificate, sni, []string{"fsm"}, tls.VersionTLS12}
	}
	return []intruder{
		{"the admitted client", with(admitted), "", ""},
		{"the admitted client in TLS 1.2", old(admitted), "", ""},
		{"the admitted client, newly certified", with(ours.sign(t, m.folder, uri(client))), "", ""},

		{"in plaintext", nil, noChain, noChain},
		{"a member whom no rule lists", with(unlisted), rbac, badName},
		{"a member whom no rule lists in TLS 1.2", old(unlisted), rbac, badName},
		{"another authority", with(theirs.sign(t, m.folder, uri(client))), badChain, badChain},
		{"another authority in TLS 1.2", old(theirs.sign(t, m.folder, uri(client))), badChain, badChain},
		{"another authority of the same name", with(twins.sign(t, m.folder, uri(client))), badSeal, badSeal},
		{"no authority", with(authority{}.sign(t, m.folder, uri(client))), badChain, badChain},
		{"expired", with(ours.sign(t, m.folder, both(uri(client), valid(-2*time.Hour, -time.Hour)))), noLonger, noLonger},
		{"not yet valid", with(ours.sign(t, m.folder, both(uri(client), valid(time.Hour, 2*time.Hour)))), notYet, notYet},
		{"the client's name elsewhere", with(ours.sign(t, m.folder, uri("spiffe://elsewhere.local/ns/shop/sa/client"))), rbac, badName},
		{"the client's name as a DNS name", with(ours.sign(t, m.folder, dns(client))), rbac + "|" + badName, badName},
		{"the client's name as a subject", with(ours.sign(t, m.folder, subject(client))), rbac + "|" + badName, badName},
		{"the client's name as a DNS name of another", with(ours.sign(t, m.folder, both(uri(other), dns(client)))), rbac, badName},
		{"no name", with(ours.sign(t, m.folder, both())), rbac + "|" + badName, badName},
		{"no certificate", with(""), noneAtAll, noneAtAll},
		{"no certificate in TLS 1.2", old(""), noneInTLS2, noneInTLS2},
		{"no ALPN", &handshake{Certificate: admitted, ServerName: sni}, noChain, noChain},
		{"another ALPN", &handshake{admitted, sni, []string{"h2", "http/1.1"}, 0}, noChain, noChain},
		{"another service's SNI", &handshake{admitted, "other.shop.svc.cluster.local", []string{"fsm"}, 0}, noChain, noChain},
		{"no SNI", &handshake{admitted, "", []string{"fsm"}, 0}, noChain, noChain},
	}
}

// doors sends every intruder to every door, from a pod without a sidecar, over IPv4 and IPv6.
func (m *mesh) doors(t *testing.T) (attempts []attempt) {
	t.Helper()
	for _, i := range m.intruders(t) {
		for _, d := range doors {
			check := admitted
			if why := i.reason(d.port); why != "" {
				check = m.refused("server-0", why)
			}
			for _, f := range families {
				attempts = append(attempts, attempt{
					name: strings.Join([]string{i.name, d.name, f.name}, "/"), pod: "neighbour-0", check: check,
					question: question{Address: m.at(t, "server-0", f.has, d.port), TLS: i.tls, Send: d.send},
				})
			}
		}
	}
	return attempts
}

func (i intruder) reason(port int) string {
	if port == 8080 {
		return i.http
	}
	return i.tcp
}

// admitted wants the application's own words.
func admitted(t *testing.T, a answer) {
	t.Helper()
	if !strings.Contains(a.Got, `"pod":"server-0"`) {
		t.Errorf("the application did not answer: %+v", a)
	}
}

// refused wants an end without a word of the application, without a connection to it, and with a reason that the
// sidecar of a pod or the end itself tells.
func (m *mesh) refused(pod, why string) func(*testing.T, answer) {
	return func(t *testing.T, a answer) {
		t.Helper()
		forbidden := strings.HasPrefix(a.Got, "HTTP/1.1 403 ") && !strings.Contains(a.Got, `"pod"`)
		switch {
		case why == rbac && !forbidden, why != rbac && a.Got != "" && !forbidden:
			t.Errorf("the answer is not a refusal: %+v", a)
		case a.Got == "" && (a.Error == "" || strings.Contains(a.Error, "timeout")):
			t.Errorf("it was not refused, but left waiting: %+v", a)
		}
		var lines []line
		if a.Connected {
			lines = m.logged(t, pod, a.Local)
		}
		for _, l := range lines {
			if l.UpstreamHost != "" {
				t.Errorf("the sidecar has connected to the application at %s for it", l.UpstreamHost)
			}
		}
		seen := fmt.Sprintf("the log says %+v, and the neighbour was told %q", lines, a.Error)
		if !slices.ContainsFunc(strings.Split(why, "|"), func(s string) bool { return strings.Contains(seen, s) }) {
			t.Errorf("nothing says %q: %s", why, seen)
		}
	}
}

// statistics is a request to Envoy's administration.
const statistics = "GET /stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

// sidecarPorts calls the sidecar's own ports from outside of its pod.
func (m *mesh) sidecarPorts(t *testing.T) (attempts []attempt) {
	t.Helper()
	for _, port := range []int{15000, 15001, 15003, 15010, 15901, 15902, 15903, 15904} {
		why := noChain
		if port >= 15010 { // These are reached past the inbound listener, and nothing is there.
			why = nobody
		}
		for _, f := range families {
			to := m.at(t, "server-0", f.has, port)
			name := fmt.Sprintf("%d/%s/", port, f.name)
			attempts = append(attempts,
				attempt{name + "in plaintext", "neighbour-0", question{Address: to, Send: statistics}, m.refused("server-0", why)},
				attempt{name + "as the admitted client", "neighbour-0", question{Address: to, TLS: m.admitted(), Send: statistics}, m.refused("server-0", why)},
			)
		}
	}
	return attempts
}

// administration calls a Service that names the sidecar's administration as its target.
func (m *mesh) administration(t *testing.T) []attempt {
	t.Helper()
	if said := m.said.String(); !strings.Contains(said, "error[FSM1202]: port 80 of service shop/administration leads to port 15000, which belongs to the sidecar") {
		t.Errorf("fsmc up does not say that the port is left out:\n%s", said)
	}
	q := question{Address: "administration.shop:80", Send: statistics}
	return []attempt{
		{"without a sidecar", "neighbour-0", q, m.refused("server-0", noChain)},
		{"the admitted client", "client-0", q, m.refused("client-0", noChain)},
		{"a member whom no rule lists", "other-0", q, m.refused("other-0", nobody)},
	}
}

// member calls the server from a pod whose own sidecar may call nobody, and so does not listen to it; and from one that
// may, by the same ways.
func (m *mesh) member(t *testing.T) (attempts []attempt) {
	t.Helper()
	for _, d := range doors {
		for _, to := range []string{
			fmt.Sprintf("server.shop:%d", d.port),
			m.at(t, "server-0", netip.Addr.Is4, d.port),
			m.at(t, "server-0", netip.Addr.Is6, d.port),
		} {
			q := question{Address: to, Send: d.send}
			attempts = append(attempts,
				attempt{d.name + "/" + to + "/refused", "other-0", q, m.refused("other-0", nobody)},
				attempt{d.name + "/" + to + "/admitted", "client-0", q, admitted},
			)
		}
	}
	return attempts
}

// forgedHeaders wants the application to hear who calls from its own sidecar alone.
func (m *mesh) forgedHeaders(t *testing.T) (attempts []attempt) {
	t.Helper()
	forged := "By=" + server + ";Hash=0000;URI=" + other
	for _, spelling := range []struct{ name, headers string }{
		{"none", ""},
		{"one", "x-forwarded-client-cert: " + forged + "\r\n"},
		{"two", "X-Forwarded-Client-Cert: " + forged + "\r\nx-forwarded-client-cert: " + forged + "\r\n"},
		{"one to be dropped on the way", "Connection: x-forwarded-client-cert\r\nX-Forwarded-Client-Cert: " + forged + "\r\n"},
	} {
		send := "GET /page HTTP/1.1\r\nHost: server.shop:8080\r\n" + spelling.headers + "\r\n"
		direct := question{Address: m.at(t, "server-0", netip.Addr.Is4, 8080), TLS: m.admitted(), Send: send}
		attempts = append(attempts,
			attempt{spelling.name + "/through the caller's sidecar", "client-0", question{Address: "server.shop:8080", Send: send}, named},
			attempt{spelling.name + "/past any sidecar", "neighbour-0", direct, named},
		)
	}
	return attempts
}

// named wants the application to know the admitted client, and to have heard of nobody else.
func named(t *testing.T, a answer) {
	t.Helper()
	said := echo(t, a)
	values := said.Headers["x-forwarded-client-cert"]
	if len(values) != 1 || !strings.HasPrefix(values[0], "By="+server+";Hash=") || !strings.HasSuffix(values[0], ";URI="+client) ||
		strings.Contains(fmt.Sprint(said.Headers), other) {
		t.Errorf("the application got %q", said.Headers)
	}
}

// admitted is how the admitted client presents itself.
func (m *mesh) admitted() *handshake {
	return &handshake{m.path("tree", "proxies", "shop", "client-0", "tls"), sni, []string{"fsm"}, 0}
}

// echo is what the application says it got.
func echo(t *testing.T, a answer) (said verdict.Echo) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader([]byte(a.Got))), nil)
	if err != nil {
		t.Fatalf("%v: %+v", err, a)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %+v", response.Status, err, a)
	}
	return said
}
