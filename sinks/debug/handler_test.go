package debug

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"sigs.k8s.io/yaml"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// everyPage is the path of each page that shows a value.
func everyPage() []string {
	paths := []string{"/debug/", proxyPath(buyer), proxyPath(seller), proxyPath(stranger)}
	for _, p := range options().pages() {
		paths = append(paths, p.Path)
	}
	for _, kind := range typeNames {
		paths = append(paths, proxyPath(seller)+"?type="+kind)
	}
	return append(paths, "/debug/diagnostics?level=error")
}

// TestEveryPageInEveryFormat reads each page back: HTML that is well-formed, and JSON and YAML that say the same.
func TestEveryPageInEveryFormat(t *testing.T) {
	handler := NewHandler(options())
	for _, path := range everyPage() {
		t.Run(strings.ReplaceAll(path, "/", "·"), func(t *testing.T) {
			page := get(t, handler, path, "text/html,application/xhtml+xml,*/*;q=0.8")
			if !strings.Contains(page.body, "</html>") || page.kind != "text/html; charset=utf-8" {
				t.Errorf("no whole page of HTML: %s %.200s", page.kind, page.body)
			}
			fromJSON, fromYAML := decoded(t, get(t, handler, path, "*/*")), decoded(t, get(t, handler, path, "application/yaml"))
			if diff := cmp.Diff(fromJSON, fromYAML); diff != "" {
				t.Errorf("JSON and YAML differ: %s", diff)
			}
		})
	}
}

// decoded reads JSON or YAML.
func decoded(t *testing.T, a answer) any {
	t.Helper()
	text := []byte(a.body)
	var err error
	switch a.kind {
	case "application/json; charset=utf-8":
	case "application/yaml; charset=utf-8":
		text, err = yaml.YAMLToJSONStrict(text)
	default:
		t.Fatalf("the page is %s", a.kind)
	}
	var value any
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err != nil {
		t.Fatalf("%v in %.200s", err, a.body)
	}
	return value
}

// TestNothingIsMoreThanText reads each page as a browser does, with names that try to be markup.
func TestNothingIsMoreThanText(t *testing.T) {
	handler := NewHandler(options())
	seen := 0
	for _, path := range everyPage() {
		page := get(t, handler, path, "text/html")
		for token := range tokens(page.body) {
			if token.Data == "script" || slices.ContainsFunc(token.Attr, func(a html.Attribute) bool { return strings.HasPrefix(a.Key, "on") }) {
				t.Errorf("%s has %s", path, token)
			}
			for _, a := range token.Attr {
				if a.Key == "href" && !strings.HasPrefix(a.Val, "/debug/") && !strings.HasPrefix(a.Val, "?") && a.Val != "/metrics" {
					t.Errorf("%s leads to %s", path, a.Val)
				}
			}
		}
		seen += strings.Count(html.UnescapeString(page.body), markup)
	}
	if seen < 20 {
		t.Errorf("the pages show the markup %d times only: this test does not look where it should", seen)
	}
}

// tokens are the tags of a page that begin something.
func tokens(page string) func(func(html.Token) bool) {
	return func(yield func(html.Token) bool) {
		reader := html.NewTokenizer(strings.NewReader(page))
		for {
			switch reader.Next() {
			case html.ErrorToken:
				return
			case html.StartTagToken, html.SelfClosingTagToken:
				if !yield(reader.Token()) {
					return
				}
			}
		}
	}
}

// TestLinksLead follows every link of every page, whatever the names in it are.
func TestLinksLead(t *testing.T) {
	o := options()
	o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "numbers") })
	handler := NewHandler(o)
	followed := map[string]bool{}
	var follow func(string)
	follow = func(path string) {
		if followed[path] {
			return
		}
		if followed[path] = true; len(followed) > 1000 {
			t.Fatalf("the pages never end: %s", path)
		}
		page := get(t, handler, path, "text/html")
		if page.code != http.StatusOK {
			t.Errorf("%s gives %d", path, page.code)
		}
		if !strings.Contains(page.kind, "html") || strings.HasPrefix(path, "/debug/pprof") {
			return
		}
		for token := range tokens(page.body) {
			for _, a := range token.Attr {
				if a.Key != "href" {
					continue
				}
				if strings.HasPrefix(a.Val, "?") {
					before, _, _ := strings.Cut(path, "?")
					a.Val = before + a.Val
				}
				follow(a.Val)
			}
		}
	}
	follow("/debug/")
	for _, want := range []string{proxyPath(stranger), proxyPath(seller) + "?type=clusters&name=8080%7clocal", "/metrics", "/debug/pprof/"} {
		if !followed[want] {
			t.Errorf("nothing leads to %s, of %d pages", want, len(followed))
		}
	}
}

// TestNoPageShowsAKey has a private key in the memory of this process, and looks for it, and for whatever holds keys, on
// every page in every format, and in profiles.
func TestNoPageShowsAKey(t *testing.T) {
	key, secret := privateKey(t)
	handler := NewHandler(options())
	paths := append(everyPage(), "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/debug/pprof/allocs?debug=1")
	for _, path := range paths {
		for _, accept := range []string{"text/html", "application/json", "application/yaml"} {
			if bad := keyIn(get(t, handler, path, accept).body, secret); bad != "" {
				t.Errorf("%s as %s shows %q", path, accept, bad)
			}
		}
	}
	if keyIn(string(key), secret) == "" || keyIn("the secret: "+secret, secret) == "" {
		t.Error("this test would not see a key")
	}
}

// keyIn is what a text has of a private key, or of what holds one.
func keyIn(text, secret string) string {
	for _, bad := range []string{"private key", "private_key", "privatekey", "inline_bytes", "inline_string", "-----begin", secret} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(bad)) {
			return bad
		}
	}
	return ""
}

// privateKey is a key in PEM, and a part of it that no other text has.
func privateKey(t *testing.T) (text []byte, part string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes})
	return text, strings.Split(string(text), "\n")[2]
}

// TestBeforeTheFirstSnapshot has nothing to show yet, and says so.
func TestBeforeTheFirstSnapshot(t *testing.T) {
	o := options()
	o.Snapshot = func() sinks.Snapshot { return sinks.Snapshot{} }
	o.Proxies = func() []sinks.ProxyStatus { return nil }
	o.Certificates = func() []sinks.CertificateStatus { return nil }
	handler := NewHandler(o)
	for path, code := range map[string]int{
		"/debug/": 200, "/debug/mesh": 503, "/debug/policies": 503, "/debug/config": 503, "/debug/feature-flags": 503, "/debug/namespaces": 503,
		"/debug/proxies": 200, "/debug/diff": 200, "/debug/diagnostics": 200, "/debug/certificates": 200, proxyPath(seller): 404,
	} {
		for _, accept := range []string{"text/html", "*/*"} {
			if got := get(t, handler, path, accept); got.code != code {
				t.Errorf("%s gives %d: %.100s", path, got.code, got.body)
			}
		}
	}
	if got := get(t, handler, "/debug/proxies", "*/*").body; strings.TrimSpace(got) != "[]" {
		t.Errorf("no proxies are %s", got)
	}
}

// TestWithoutAnything serves what there always is.
func TestWithoutAnything(t *testing.T) {
	o := options()
	handler := NewHandler(Options{JSON: o.JSON, YAML: o.YAML})
	for path, code := range map[string]int{
		"/debug/": 200, "/debug/pprof/": 200, "/debug/mesh": 404, "/debug/proxies": 404, "/debug/log-level": 404, "/metrics": 404,
		"/debug/timings": 404, "/debug/certificates": 404, proxyPath(seller): 404, "/": 302, "/debug": 302, "/debug/nothing": 404,
	} {
		if got := get(t, handler, path, "*/*"); got.code != code {
			t.Errorf("%s gives %d", path, got.code)
		}
	}
}

// TestWhatWasThereBefore: bookmarks and scripts for the ancestors' debug server find their content.
func TestWhatWasThereBefore(t *testing.T) {
	handler := NewHandler(options())
	for path, to := range formerPaths {
		request := httptest.NewRequest("GET", path, nil)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if got := recorder.Header().Get("Location"); got != to {
			t.Errorf("%s leads to %q", path, got)
		}
		if got := get(t, handler, to, "*/*"); got.code != 200 {
			t.Errorf("%s gives %d", to, got.code)
		}
	}
}

func TestFormats(t *testing.T) {
	handler := NewHandler(options())
	for _, c := range []struct{ path, accept, want string }{
		{"/debug/config", "", "application/json; charset=utf-8"},
		{"/debug/config", "*/*", "application/json; charset=utf-8"},
		{"/debug/config", "image/png", "application/json; charset=utf-8"},
		{"/debug/config", "text/html;q=0.1, application/yaml;q=0.9, */*;q=0.5", "text/plain; charset=utf-8"},
		{"/debug/config", "application/yaml, */*;q=0.5", "application/yaml; charset=utf-8"},
		{"/debug/config", "application/json, text/html", "application/json; charset=utf-8"},
		{"/debug/config", "text/html, */*", "text/html; charset=utf-8"},
		{"/debug/config", "text/html;q=x;;, ,", "application/json; charset=utf-8"},
		{"/debug/config?format=html", "*/*", "text/html; charset=utf-8"},
		{"/debug/config?format=json", "text/html", "application/json; charset=utf-8"},
		{"/debug/config?format=yaml", "*/*", "application/yaml; charset=utf-8"},
		{"/debug/config?format=yaml", "text/html", "text/plain; charset=utf-8"},
	} {
		if got := get(t, handler, c.path, c.accept); got.code != 200 || got.kind != c.want {
			t.Errorf("%s for %q gives %d %s", c.path, c.accept, got.code, got.kind)
		}
	}
	if got := get(t, handler, "/debug/config?format=xml", "*/*"); got.code != 400 {
		t.Errorf("xml gives %d", got.code)
	}
}

// TestTheRightThingsAreShown looks at what matters on each page.
func TestTheRightThingsAreShown(t *testing.T) {
	handler := NewHandler(options())
	for _, c := range []struct {
		path string
		want []string
	}{
		{"/debug/mesh", []string{"meshName", "10.1.0.1"}},
		{"/debug/proxies", []string{"buyer-0", "not connected", "differs in 2", "has everything", "not in the mesh", "2026-01-02 12:00:00 UTC"}},
		{proxyPath(seller), []string{"inbound-listener", "8080|local", "Service shop/seller", "rejected: " + markup, "service-cert", "to be removed"}},
		{proxyPath(seller) + "?type=clusters", []string{"8080|local", "connect_timeout", "type: STATIC"}},
		{"/debug/diff", []string{"shop/seller-0", "rejected: " + markup, "to be removed"}},
		{"/debug/diagnostics", []string{"2 findings", "FSM2003", markup + ":3:7", "Instead: " + markup}},
		{"/debug/policies", []string{"shop/buy", "GET|PUT /" + markup + " x: " + markup, "9000, 9001", "shop/seller <b>50</b>", "TrafficTarget shop/buy"}},
		{"/debug/certificates", []string{"spiffe://cluster.local/ns/shop/sa/seller", "2026-01-03 04:00:00 UTC"}},
		{"/debug/config", []string{"trustDomain: cluster.local", "logLevel: warn"}},
		{"/debug/feature-flags", []string{"enableRetryPolicy: true"}},
		{"/debug/namespaces", []string{"- shop"}},
		{"/debug/timings", []string{"compile: "}},
		{"/debug/log-level", []string{"<option selected>info</option>"}},
	} {
		page := html.UnescapeString(get(t, handler, c.path, "text/html").body)
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not show %q", c.path, want)
			}
		}
	}
	if page := get(t, handler, proxyPath(seller)+"?type=clusters", "text/html").body; strings.Contains(page, "inbound-listener</a>") {
		t.Error("of clusters only, a listener is shown")
	}
	if got := get(t, handler, proxyPath(seller)+"?type=keys", "*/*"); got.code != 400 {
		t.Errorf("keys as a type give %d", got.code)
	}
	var worst []model.Diagnostic
	if err := json.Unmarshal([]byte(get(t, handler, "/debug/diagnostics", "*/*").body), &worst); err != nil || worst[0].Level != model.Error {
		t.Errorf("the worst is not first: %v, %v", worst, err)
	}
}

func TestChangingTheLevel(t *testing.T) {
	o := options()
	var log strings.Builder
	o.Log = textLog(&log)
	handler := NewHandler(o)
	for _, c := range []struct {
		name, method, path, body, site string
		code                           int
		want                           string
	}{
		{"a body", "PUT", "/debug/log-level", "debug\n", "", 200, "debug"},
		{"a form field", "PUT", "/debug/log-level", "level=info", "", 200, "info"},
		{"a query", "PUT", "/debug/log-level?level=debug", "", "", 200, "debug"},
		{"the page's form", "POST", "/debug/log-level", "level=info", "same-origin", 303, "info"},
		{"somebody else's page", "POST", "/debug/log-level", "level=debug", "cross-site", 403, "info"},
		{"an unknown name", "PUT", "/debug/log-level", markup, "", 400, "info"},
		{"nothing", "PUT", "/debug/log-level", "", "", 400, "info"},
		{"more than a name", "PUT", "/debug/log-level", strings.Repeat("debug", 1000), "", 400, "info"},
		{"another page", "PUT", "/debug/mesh", "debug", "", 405, "info"},
		{"to delete it", "DELETE", "/debug/log-level", "", "", 405, "info"},
	} {
		request := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.site != "" {
			request.Header.Set("Sec-Fetch-Site", c.site)
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != c.code || o.Level.String() != c.want {
			t.Errorf("%s gives %d, and the level is %s", c.name, recorder.Code, o.Level)
		}
		if strings.Contains(recorder.Header().Get("Content-Type"), "html") && strings.Contains(recorder.Body.String(), markup) {
			t.Errorf("%s: the answer has what was sent", c.name)
		}
	}
	if got := strings.Count(log.String(), "the level of logging was changed"); got != 4 {
		t.Errorf("%d of 4 changes were logged: %s", got, &log)
	}
}

// answer is what a page gave.
type answer struct {
	code       int
	kind, body string
}

func get(t *testing.T, handler http.Handler, path, accept string) answer {
	t.Helper()
	request := httptest.NewRequest("GET", path, nil)
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if got := recorder.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
		t.Errorf("%s may do what it likes: %q", path, got)
	}
	return answer{recorder.Code, recorder.Header().Get("Content-Type"), recorder.Body.String()}
}
