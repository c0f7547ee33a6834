package health

import (
	"encoding/json"
	"net/http"
)

// Options are what the observability server says.
type Options struct {
	// State decides over /health/ready.
	State *State
	// Version is what /version says.
	Version Version
	// Metrics answers /metrics; nil is no such page.
	Metrics http.Handler
	// SMI are the kinds of SMI that are read and the newest version of each, for /smi/version; nil is no such page.
	SMI map[string]string
}

// Version says which program this is. Date is when it was built.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
}

// status is the body of an answer about health.
type status struct {
	Status     string      `json:"status"`
	Conditions []Condition `json:"conditions,omitempty"`
}

// NewHandler is everything that is served on port 9091: health, version and metrics.
func NewHandler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/alive", alive)
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /health/ready", o.ready)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, o.Version) })
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	if o.SMI != nil {
		mux.HandleFunc("GET /smi/version", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, o.SMI) })
	}
	return mux
}

// alive is true of whoever answers.
func alive(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, status{Status: "Service is alive"})
}

func (o Options) ready(w http.ResponseWriter, _ *http.Request) {
	conditions, ok := o.State.Ready()
	if !ok {
		write(w, http.StatusServiceUnavailable, status{"Service is not ready", conditions})
		return
	}
	write(w, http.StatusOK, status{"Service is ready", conditions})
}

// write answers with JSON. Whoever asked may be gone: there is nobody to tell.
func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
