package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/demo/internal/web"
)

func TestPage(t *testing.T) {
	counters := func(context.Context) ([]web.Counter, error) {
		return []web.Counter{{Key: "books", Label: "books <sold>", Value: 7}, {Key: "denied", Label: "denied", Value: 2}}, nil
	}
	mux := web.Mux(web.Page{Title: "bookstore & co", About: "sells.", Counters: counters})
	for path, want := range map[string]string{
		"/":         `<div><dt>books &lt;sold&gt;</dt><dd id="books">7</dd></div>`,
		"/raw":      `{"books":7,"denied":2}`,
		"/liveness": "ok",
	} {
		if got := get(mux, path); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s answers %d %s", path, got.Code, got.Body.String())
		}
	}
	if got := get(mux, "/"); !strings.Contains(got.Body.String(), "<title>bookstore &amp; co</title>") || strings.Contains(got.Body.String(), "/reset") {
		t.Errorf("the page is %s", got.Body.String())
	}
	for path, status := range map[string]int{"/reset": 404, "/elsewhere": 404} {
		if got := get(mux, path); got.Code != status {
			t.Errorf("%s answers %d", path, got.Code)
		}
	}
}

func TestPageWithoutNumbers(t *testing.T) {
	mux := web.Mux(web.Page{Title: "bookwarehouse", Counters: func(context.Context) ([]web.Counter, error) {
		return nil, errors.New("the database is not there yet")
	}})
	if got := get(mux, "/"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `<p class="error">the database is not there yet</p>`) {
		t.Errorf("/ answers %d %s", got.Code, got.Body.String())
	}
	if got := get(mux, "/raw"); got.Code != http.StatusServiceUnavailable || got.Body.String() != `{"error":"the database is not there yet"}`+"\n" {
		t.Errorf("/raw answers %d %s", got.Code, got.Body.String())
	}
}

// A request that is open when the program is told to end is answered.
func TestServeEndsGracefully(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	listener, err := web.Listen(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-ctx.Done()
		_, _ = io.WriteString(w, "sold")
	})
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, listener, handler, slog.New(slog.DiscardHandler)) }()
	go func() {
		<-begun
		cancel()
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	answer, err := http.Get("http://127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if text, err := io.ReadAll(answer.Body); string(text) != "sold" || err != nil {
		t.Errorf("got %q (%v)", text, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func get(handler http.Handler, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}
