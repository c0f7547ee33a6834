package debug

import (
	"io"
	"net/http"
	"net/http/pprof"
	"os"
	"regexp"
	"strings"
)

// addProfiles serves the profiles of the process.
func addProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/cmdline", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, strings.Join(withoutSecrets(os.Args), "\x00"))
	})
}

// secretFlag is a flag whose value may be a secret.
var secretFlag = regexp.MustCompile(`(?i)^--?[^=]*(token|password|secret|key|credential)[^=]*`)

// withoutSecrets are the arguments of a command line without the values of flags that may be secrets.
func withoutSecrets(arguments []string) []string {
	var shown []string
	hide := false
	for _, argument := range arguments {
		flag := secretFlag.FindString(argument)
		switch {
		case hide:
			shown, flag = append(shown, "…"), ""
		case flag != "" && flag != argument:
			shown = append(shown, flag+"=…")
		default:
			shown = append(shown, argument)
		}
		hide = flag != "" && flag == argument
	}
	return shown
}
