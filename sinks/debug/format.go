package debug

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// format is how a page is written.
type format string

const (
	asHTML format = "html"
	asJSON format = "json"
	asYAML format = "yaml"
)

// formatOf is the format that a request asks for: by ?format=, or by what it accepts. A browser gets HTML, and whoever
// takes anything, as curl does, gets JSON.
func formatOf(r *http.Request) (format, error) {
	if asked := r.URL.Query().Get("format"); asked != "" {
		switch f := format(asked); f {
		case asHTML, asJSON, asYAML:
			return f, nil
		}
		return "", refusal{http.StatusBadRequest, "format is html, json or yaml"}
	}
	best, wanted := asJSON, 0.0
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		if f, ok := formatOfType(kind); err == nil && ok && quality(parameters) > wanted {
			best, wanted = f, quality(parameters)
		}
	}
	return best, nil
}

func formatOfType(kind string) (format, bool) {
	switch kind {
	case "text/html", "application/xhtml+xml":
		return asHTML, true
	case "application/json", "*/*", "application/*":
		return asJSON, true
	case "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml":
		return asYAML, true
	}
	return "", false
}

// quality is the weight of a media type in an Accept header (RFC 9110, 12.4.2): 1 if none is written.
func quality(parameters map[string]string) float64 {
	q, err := strconv.ParseFloat(parameters["q"], 64)
	if err != nil {
		return 1
	}
	return q
}

// yamlType is the media type of YAML. A browser shows plain text, and would save a file of YAML's own type.
func yamlType(r *http.Request) string {
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		return "text/plain"
	}
	return "application/yaml"
}
