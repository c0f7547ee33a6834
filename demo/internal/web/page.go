package web

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
)

// A Counter is one number of a program.
type Counter struct {
	// Key is its name in /raw.
	Key string
	// Label is its name on the page.
	Label string
	Value int64
}

// A Page is what a program shows of itself.
type Page struct {
	Title string
	// About is one sentence below the title.
	About string
	// Counters returns the numbers in the order in which they are shown.
	Counters func(context.Context) ([]Counter, error)
	// Reset sets the numbers to zero; nil where that is not offered.
	Reset func()
}

//go:embed page.html
var pageText string

// Mux returns a mux that serves the page at /, its numbers as JSON at /raw, /reset, and the probes /liveness, /readiness and /startup. The program adds
// what it is there for.
func Mux(page Page) *http.ServeMux {
	shown := template.Must(template.New("page").Parse(pageText))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { page.show(w, r, shown) })
	mux.HandleFunc("GET /raw", page.raw)
	if page.Reset != nil {
		mux.HandleFunc("GET /reset", func(w http.ResponseWriter, r *http.Request) {
			page.Reset()
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})
	}
	for _, probe := range []string{"/liveness", "/readiness", "/startup"} {
		mux.HandleFunc("GET "+probe, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("ok\n"))
		})
	}
	return mux
}

func (p Page) show(w http.ResponseWriter, r *http.Request, shown *template.Template) {
	counters, err := p.Counters(r.Context())
	var text bytes.Buffer
	if err := shown.Execute(&text, struct {
		Page
		Numbers []Counter
		Error   error
	}{p, counters, err}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text.Bytes())
}

func (p Page) raw(w http.ResponseWriter, r *http.Request) {
	counters, err := p.Counters(r.Context())
	if err != nil {
		Answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		return
	}
	numbers := map[string]int64{}
	for _, counter := range counters {
		numbers[counter.Key] = counter.Value
	}
	Answer(w, http.StatusOK, numbers)
}

// Answer answers with a value as JSON on one line.
func Answer(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
