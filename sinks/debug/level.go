package debug

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// levelSheet is the level of logging and what it could be.
type levelSheet struct {
	Level  string   `json:"level"`
	Levels []string `json:"levels"`
}

func (o Options) level(*http.Request) (any, error) {
	return levelSheet{o.Level.String(), o.Levels}, nil
}

// changeLevel sets the level that the request names: as ?level=, as a form, or as the whole body. A form of the page is
// sent back to the page.
func (s *site) changeLevel(w http.ResponseWriter, r *http.Request) {
	name, err := levelOf(r)
	if err != nil {
		answerError(w, err)
		return
	}
	before := s.Level.String()
	if err := s.Level.Set(name); err != nil {
		answerError(w, refusal{http.StatusBadRequest, err.Error()})
		return
	}
	s.Log.Warn("the level of logging was changed on the debug server", "before", before, "now", s.Level.String())
	if r.Method == http.MethodPost {
		http.Redirect(w, r, "/debug/log-level", http.StatusSeeOther)
		return
	}
	s.show(page{value: s.level, layout: "level", Path: "/debug/log-level", Title: "Log level"}).ServeHTTP(w, r)
}

// levelOf reads the name of a level. curl calls every body a form, so that a form is what has a field.
func levelOf(r *http.Request) (string, error) {
	if name := r.URL.Query().Get("level"); name != "" {
		return name, nil
	}
	const longest = 100
	body, err := io.ReadAll(io.LimitReader(r.Body, longest))
	if err != nil {
		return "", refusal{http.StatusBadRequest, "the body could not be read"}
	}
	text := strings.TrimSpace(string(body))
	if form, err := url.ParseQuery(text); err == nil && form.Has("level") {
		text = form.Get("level")
	}
	if text == "" {
		return "", refusal{http.StatusBadRequest, "no level is named"}
	}
	return text, nil
}
