package debug

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

//go:embed assets
var assets embed.FS

// site is what all pages share.
type site struct {
	Options
	pages   []page
	layouts *template.Template
}

func newSite(o Options) *site {
	functions := template.FuncMap{
		"yaml": func(value any) (string, error) {
			text, err := o.YAML(value)
			return string(text), err
		},
		"proxy": proxyPath, "types": func() []string { return typeNames }, "when": when, "short": short, "ports": ports, "refs": refs,
	}
	return &site{Options: o, layouts: template.Must(template.New("").Funcs(functions).ParseFS(assets, "assets/*"))}
}

// sheet is what a layout sees.
type sheet struct {
	page
	Pages   []page
	Version string
	Metrics bool
	// Here is the query of the page without its format.
	Here  template.URL
	Value any
}

// index is a list of all pages.
func (s *site) index(*http.Request) (any, error) {
	type entry struct {
		Path  string `json:"path"`
		Title string `json:"title"`
		About string `json:"about"`
	}
	var list []entry
	for _, p := range s.pages {
		list = append(list, entry{p.Path, p.Title, p.About})
	}
	list = append(list, entry{"/debug/pprof/", "Profiles", "Profiles of this process, for go tool pprof."})
	if s.Metrics != nil {
		list = append(list, entry{"/metrics", "Metrics", "The numbers of this process, for Prometheus."})
	}
	return list, nil
}

// show serves a page in the format that is asked for. The whole page is made before anything of it is sent, so that an
// error is an answer and not a torn page.
func (s *site) show(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		format, err := formatOf(r)
		if err != nil {
			answerError(w, err)
			return
		}
		value, err := p.value(r)
		if err != nil {
			answerError(w, err)
			return
		}
		text, kind, err := s.write(r, p, value, format)
		if err != nil {
			answerError(w, err)
			return
		}
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		_, _ = w.Write(text)
	})
}

// write is the text of a page and its media type.
func (s *site) write(r *http.Request, p page, value any, format format) ([]byte, string, error) {
	switch format {
	case asJSON:
		text, err := s.JSON(value)
		return text, "application/json", err
	case asYAML:
		text, err := s.YAML(value)
		return text, yamlType(r), err
	}
	var b bytes.Buffer
	err := s.layouts.ExecuteTemplate(&b, cmp.Or(p.layout, "plain"), sheet{p, s.pages, s.Version, s.Metrics != nil, here(r), value})
	return b.Bytes(), "text/html", err
}

// here is the query of a page, ready for a format to be added.
func here(r *http.Request) template.URL {
	query := r.URL.Query()
	query.Del("format")
	if len(query) == 0 {
		return ""
	}
	return template.URL(query.Encode() + "&") // it is encoded already
}

// proxyPath is where the page of a proxy is.
func proxyPath(id model.ProxyID) string {
	return "/debug/proxies/" + url.PathEscape(id.Namespace) + "/" + url.PathEscape(id.Name)
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// short is the beginning of a version, which is enough to tell it from others.
func short(version string) string { return version[:min(len(version), 12)] }

func ports(set model.PortSet) string {
	switch {
	case set.All:
		return "all"
	case set.IsZero():
		return "none"
	}
	text := ""
	for i, port := range set.Ports.All() {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(port)
	}
	return text
}

// refs are places, as text.
func refs(list []model.Ref) []string {
	texts := make([]string, len(list))
	for i, ref := range list {
		texts[i] = ref.String()
	}
	return texts
}
