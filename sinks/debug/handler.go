package debug

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/flomesh-io/fsmc/sinks"
)

// Options are where the pages have their content from. Each function is asked for each page anew, from several goroutines
// at once. A page whose function is nil does not exist.
type Options struct {
	// Version is what this program says it is.
	Version string
	// Snapshot is the newest snapshot; the zero value while there is none.
	Snapshot func() sinks.Snapshot
	// Proxies are those that are connected.
	Proxies func() []sinks.ProxyStatus
	// Certificates are those in use.
	Certificates func() []sinks.CertificateStatus
	// Timings are how long the steps of the newest rounds took: any value that encoding/json can write.
	Timings func() any
	// Level is the level of logging that can be looked at and changed.
	Level Level
	// Levels are the names that Level takes.
	Levels []string
	// Metrics answers /metrics here too.
	Metrics http.Handler
	// Log is told when somebody changes the level; nil is nobody.
	Log *slog.Logger
	// JSON and YAML write any value that encoding/json can write, and any protobuf message. They cannot be nil.
	JSON, YAML func(any) ([]byte, error)
}

// Level is a level of logging with a name.
type Level interface {
	String() string
	Set(name string) error
}

// page is one of the pages that show a value.
type page struct {
	Path, Title, About string
	// value is what there is to show. Programs get it as it is.
	value func(*http.Request) (any, error)
	// layout is the template that shows it in a browser; as YAML if it is empty.
	layout string
}

// NewHandler serves all pages below /debug/.
func NewHandler(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	site := newSite(o)
	site.pages = o.pages()
	for _, p := range site.pages {
		mux.Handle("GET "+p.Path, site.show(p))
	}
	mux.Handle("GET /{$}", http.RedirectHandler("/debug/", http.StatusFound))
	mux.Handle("GET /debug", http.RedirectHandler("/debug/", http.StatusFound))
	mux.Handle("GET /debug/{$}", site.show(page{Path: "/debug/", Title: "Debug server", value: site.index, layout: "index"}))
	if o.Proxies != nil || o.Snapshot != nil {
		mux.Handle("GET /debug/proxies/{namespace}/{pod}", site.show(page{Path: "/debug/proxies", Title: "Proxy", value: o.proxy, layout: "proxy"}))
	}
	for from, to := range formerPaths {
		mux.Handle("GET "+from, http.RedirectHandler(to, http.StatusFound))
	}
	if o.Level != nil {
		mux.HandleFunc("PUT /debug/log-level", site.changeLevel)
		mux.HandleFunc("POST /debug/log-level", site.changeLevel)
	}
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	addProfiles(mux)
	return http.NewCrossOriginProtection().Handler(guarded(mux))
}

// formerPaths are those of OSM's debug server, and where their content is now.
var formerPaths = map[string]string{
	"/debug/certs": "/debug/certificates",
	"/debug/proxy": "/debug/proxies",
	"/debug/xds":   "/debug/diff",
}

// pages are the pages that show one value each, in the order of the index.
func (o Options) pages() []page {
	var pages []page
	add := func(there bool, p page) {
		if there {
			pages = append(pages, p)
		}
	}
	snapshot, proxies := o.Snapshot != nil, o.Proxies != nil
	add(snapshot, page{"/debug/mesh", "Mesh", "The whole mesh, as it was understood.", o.ofMesh(wholeMesh), "mesh"})
	add(snapshot || proxies, page{"/debug/proxies", "Proxies", "All proxies: which are connected, and which have what they are to have.", o.proxies, "proxies"})
	add(proxies, page{"/debug/diff", "Differences", "What proxies do not have yet, or did not take.", o.differences, "differences"})
	add(snapshot, page{"/debug/diagnostics", "Diagnostics", "What was found in the input, and what was done instead.", o.diagnostics, "diagnostics"})
	add(snapshot, page{"/debug/policies", "Policies", "Who may call whom, and how requests are split.", o.ofMesh(policies), "policies"})
	add(o.Certificates != nil, page{"/debug/certificates", "Certificates", "The certificates in use, without their keys.", o.certificates, "certificates"})
	add(snapshot, page{"/debug/config", "Settings", "What is set for the whole mesh.", o.ofMesh(settings), ""})
	add(snapshot, page{"/debug/feature-flags", "Feature flags", "The feature flags that are on; all others are off.", o.ofMesh(featureFlags), ""})
	add(snapshot, page{"/debug/namespaces", "Namespaces", "The namespaces that the mesh has proxies or services in.", o.ofMesh(namespaces), ""})
	add(o.Timings != nil, page{"/debug/timings", "Timings", "How long the last rounds took, step by step.", func(*http.Request) (any, error) { return o.Timings(), nil }, ""})
	add(o.Level != nil, page{"/debug/log-level", "Log level", "What is logged, and a way to change it at once.", o.level, "level"})
	return pages
}

// guarded adds what keeps a browser from doing more with a page than show it.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// refusal is an answer that is no page.
type refusal struct {
	code int
	text string
}

func (r refusal) Error() string { return r.text }

// answerError says what went wrong.
func answerError(w http.ResponseWriter, err error) {
	var r refusal
	if !errors.As(err, &r) {
		r = refusal{http.StatusInternalServerError, err.Error()}
	}
	http.Error(w, strings.ToValidUTF8(r.text, "\uFFFD"), r.code)
}
