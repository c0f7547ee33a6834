package customer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
	"github.com/flomesh-io/fsmc/demo/internal/customer"
)

func TestBuyerCountsByVersion(t *testing.T) {
	var sold atomic.Int64
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("client-app") != "bookbuyer" || r.Header.Get("user-agent") != "Go-http-client/1.1" {
			t.Errorf("headers are %v", r.Header)
		}
		switch r.URL.Path {
		case "/buy-a-book/new":
			w.Header().Set("Identity", []string{"bookstore-v1", "bookstore-v2", "bookstore-v2"}[sold.Add(1)-1])
		case "/books-bought":
			w.Header().Set("Identity", "bookstore-v1")
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	}))
	defer store.Close()
	var out bytes.Buffer
	buyer := customer.New(config(store.URL, 200, 3), calls.NewJournal(&out, calls.JSON), quiet())
	if err := buyer.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if got := raw(t, buyer); got["booksBought"] != 3 || got["booksBoughtV1"] != 1 || got["booksBoughtV2"] != 2 || got["denied"]+got["refused"]+got["failed"] != 0 {
		t.Errorf("counters are %v", got)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 6 {
		t.Errorf("the journal has %d lines", lines)
	}
}

func TestExpectations(t *testing.T) {
	denies := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "RBAC: access denied", http.StatusForbidden)
	})
	refuses := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	sells := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, test := range []struct {
		name     string
		store    http.Handler
		expected int
		counter  string
		fails    bool
	}{
		{name: "denied as expected", store: denies, expected: 403, counter: "denied"},
		{name: "refused as expected", store: refuses, expected: 0, counter: "refused"},
		{name: "sold to a thief", store: sells, expected: 0, counter: "booksBought", fails: true},
		{name: "denied to a buyer", store: denies, expected: 200, counter: "denied", fails: true},
		{name: "refused to a buyer", store: refuses, expected: 200, counter: "refused", fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := httptest.NewServer(test.store)
			defer store.Close()
			thief := customer.New(config(store.URL, test.expected, 2), calls.NewJournal(io.Discard, calls.None), quiet())
			if err := thief.Run(t.Context()); (err != nil) != test.fails {
				t.Errorf("error is %v", err)
			}
			if got := raw(t, thief); got[test.counter] != 2 {
				t.Errorf("counters are %v", got)
			}
		})
	}
}

func TestRoundsAreSharedByConnections(t *testing.T) {
	var asked atomic.Int64
	store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer store.Close()
	c := config(store.URL, 200, 7)
	c.Connections = 3
	c.Outside = []string{store.URL + "/outside"}
	if err := customer.New(c, calls.NewJournal(io.Discard, calls.None), quiet()).Run(t.Context()); err != nil {
		t.Error(err)
	}
	if asked.Load() != 7*3 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	defer store.Close()
	buyer := customer.New(config(store.URL, 200, 0), calls.NewJournal(io.Discard, calls.None), quiet())
	if err := buyer.Run(ctx); err != nil {
		t.Error(err)
	}
	if got := raw(t, buyer); got["failed"] != 0 {
		t.Errorf("a call that was cut off counts as failed: %v", got)
	}
}

func TestReset(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer store.Close()
	buyer := customer.New(config(store.URL, 200, 1), calls.NewJournal(io.Discard, calls.None), quiet())
	if err := buyer.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	buyer.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/reset", nil))
	if answer.Code != http.StatusSeeOther {
		t.Errorf("/reset answers %d", answer.Code)
	}
	if got := raw(t, buyer); got["booksBought"] != 0 {
		t.Errorf("counters are %v", got)
	}
}

func config(url string, expected, rounds int) customer.Config {
	return customer.Config{Name: "bookbuyer", Bookstore: strings.TrimPrefix(url, "http://"), ClientApp: "bookbuyer", Expected: expected, Connections: 1,
		Rounds: rounds, Successes: rounds}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func raw(t *testing.T, c *customer.Customer) map[string]int64 {
	t.Helper()
	answer := httptest.NewRecorder()
	c.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/raw", nil))
	var counters map[string]int64
	if err := json.Unmarshal(answer.Body.Bytes(), &counters); err != nil {
		t.Fatal(err)
	}
	return counters
}
