package bookstore_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/bookstore"
	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

func TestAnswers(t *testing.T) {
	store := bookstore.New(bookstore.Config{Identity: "bookstore-v1", Bookwarehouse: "127.0.0.1:1"}, calls.NewJournal(io.Discard, calls.None), quiet())
	for _, test := range []struct {
		method, path, body string
		status             int
		books              string
		want               string
	}{
		{method: "GET", path: "/books-bought", status: 200, books: "0", want: `{"booksBought":0,"identity":"bookstore-v1"}`},
		{method: "GET", path: "/buy-a-book/new", status: 200, books: "1", want: `{"booksBought":1,"identity":"bookstore-v1"}`},
		{method: "GET", path: "/buy-a-book/new?title=Momo", status: 200, books: "2", want: `{"booksBought":2,"identity":"bookstore-v1"}`},
		{method: "GET", path: "/raw", status: 200, books: "2", want: `{"booksBought":2}`},
		{method: "POST", path: "/books-bought", body: " 40\n", status: 200, books: "40", want: `{"booksBought":40,"identity":"bookstore-v1"}`},
		{method: "POST", path: "/books-bought", body: "many", status: 400, books: "40", want: `{"error":"the body has to be a number of books"}`},
		{method: "POST", path: "/books-bought", body: "-1", status: 400, books: "40", want: `{"error":"the body has to be a number of books"}`},
		{method: "GET", path: "/", status: 200, books: "40", want: `<dd id="booksBought">40</dd>`},
		{method: "GET", path: "/reset", status: 303, books: "40"},
		{method: "GET", path: "/books-bought", status: 200, books: "0", want: `{"booksBought":0,"identity":"bookstore-v1"}`},
		{method: "GET", path: "/liveness", status: 200, books: "0", want: "ok"},
		{method: "GET", path: "/readiness", status: 200, books: "0", want: "ok"},
		{method: "GET", path: "/startup", status: 200, books: "0", want: "ok"},
		{method: "GET", path: "/update-books-bought", status: 404, books: "0"},
		{method: "DELETE", path: "/books-bought", status: 405, books: "0"},
		{method: "POST", path: "/buy-a-book/new", status: 405, books: "0"},
	} {
		answer := ask(store, test.method, test.path, test.body, nil)
		if answer.Code != test.status || answer.Header().Get("Identity") != "bookstore-v1" || answer.Header().Get("Booksbought") != test.books {
			t.Errorf("%s %s answers %d %v", test.method, test.path, answer.Code, answer.Header())
		}
		if !strings.Contains(answer.Body.String(), test.want) {
			t.Errorf("%s %s answers %s", test.method, test.path, answer.Body.String())
		}
	}
	store.Wait()
}

func TestSaleRestocks(t *testing.T) {
	type order struct{ method, host, path, body, trace, identity string }
	orders := make(chan order, 1)
	warehouse := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		orders <- order{r.Method, r.Host, r.URL.Path, string(body), r.Header.Get("X-B3-TraceId"), r.Header.Get("Identity")}
		_, _ = io.WriteString(w, `{"restocked":1}`)
	}))
	defer warehouse.Close()
	var out bytes.Buffer
	store := bookstore.New(bookstore.Config{
		Identity: "bookstore-v2", Bookwarehouse: strings.TrimPrefix(warehouse.URL, "http://"), BookwarehouseName: "bookwarehouse.bookwarehouse",
	}, calls.NewJournal(&out, calls.JSON), quiet())
	answer := ask(store, "GET", "/buy-a-book/new", "", http.Header{"X-B3-Traceid": {"80f198ee56343ba864fe8b2a57d3eff7"}})
	store.Wait()
	if answer.Header().Get("x-b3-traceid") != "80f198ee56343ba864fe8b2a57d3eff7" {
		t.Errorf("the answer does not repeat the trace: %v", answer.Header())
	}
	want := order{"POST", "bookwarehouse.bookwarehouse", "/restock-books", "1", "80f198ee56343ba864fe8b2a57d3eff7", "bookstore-v2"}
	if got := <-orders; got != want {
		t.Errorf("ordered %+v", got)
	}
	var call calls.Call
	if err := json.Unmarshal(out.Bytes(), &call); err != nil || call.From != "bookstore-v2" || call.Verdict != calls.Allowed || call.Request != "POST /restock-books" {
		t.Errorf("the journal says %s (%v)", out.String(), err)
	}
}

func TestSaleTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := bookstore.New(bookstore.Config{Bookwarehouse: "127.0.0.1:1", FastestSale: 150 * time.Millisecond, SlowestSale: 900 * time.Millisecond},
			calls.NewJournal(io.Discard, calls.None), quiet())
		for range 20 {
			began := time.Now()
			ask(store, "GET", "/buy-a-book/new", "", nil)
			if took := time.Since(began); took < 150*time.Millisecond || took >= 900*time.Millisecond {
				t.Errorf("took %s", took)
			}
		}
		store.Wait()
	})
}

func ask(store *bookstore.Store, method, path, body string, headers http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for name, values := range headers {
		request.Header[name] = values
	}
	answer := httptest.NewRecorder()
	store.Handler().ServeHTTP(answer, request)
	return answer
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
