// Package bookstore sells books and has the bookwarehouse restock them.
package bookstore

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
	"github.com/flomesh-io/fsmc/demo/internal/web"
)

// A Config says which bookstore this is.
type Config struct {
	// Identity is what it calls itself in the header Identity, for example bookstore-v1.
	Identity string
	// Bookwarehouse is the host and port where it restocks.
	Bookwarehouse string
	// BookwarehouseName is the Host header it restocks with.
	BookwarehouseName string
	// FastestSale and SlowestSale are the bounds of how long a sale takes.
	FastestSale, SlowestSale time.Duration
}

// A Store is one bookstore.
type Store struct {
	config    Config
	warehouse *calls.Client
	log       *slog.Logger

	books      atomic.Int64
	restocking sync.WaitGroup
}

// New returns a bookstore that has not sold anything yet.
func New(config Config, journal *calls.Journal, log *slog.Logger) *Store {
	return &Store{config: config, warehouse: calls.NewClient(config.Identity, journal), log: log}
}

// Handler serves the bookstore.
func (s *Store) Handler() http.Handler {
	mux := web.Mux(web.Page{Title: s.config.Identity, About: "sells books, and restocks from bookwarehouse.", Counters: s.counters, Reset: func() { s.books.Store(0) }})
	mux.HandleFunc("GET /buy-a-book/new", s.sell)
	mux.HandleFunc("GET /books-bought", s.tell)
	mux.HandleFunc("POST /books-bought", s.correct)
	return s.signed(mux)
}

// Wait returns when every sale so far was restocked or given up.
func (s *Store) Wait() { s.restocking.Wait() }

// signed says in every answer who gave it and for which request.
func (s *Store) signed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Identity", s.config.Identity)
		w.Header().Set("Booksbought", strconv.FormatInt(s.books.Load(), 10))
		copyTracing(w.Header(), r.Header)
		next.ServeHTTP(w, r)
	})
}

// sell sells one book. The customer does not wait for the restocking, but it does wait: a sale takes its time.
func (s *Store) sell(w http.ResponseWriter, r *http.Request) {
	books := s.books.Add(1)
	s.restock(r)
	select {
	case <-r.Context().Done():
		return
	case <-time.After(s.config.duration()):
	}
	w.Header().Set("Booksbought", strconv.FormatInt(books, 10))
	s.answer(w, books)
}

// tell says how many books were sold.
func (s *Store) tell(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, s.books.Load())
}

// correct sets how many books were sold to the number in the body.
func (s *Store) correct(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(io.LimitReader(r.Body, 32))
	books, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || bad != nil || books < 0 {
		web.Answer(w, http.StatusBadRequest, map[string]string{"error": "the body has to be a number of books"})
		return
	}
	s.books.Store(books)
	w.Header().Set("Booksbought", strconv.FormatInt(books, 10))
	s.answer(w, books)
}

func (s *Store) answer(w http.ResponseWriter, books int64) {
	web.Answer(w, http.StatusOK, map[string]any{"identity": s.config.Identity, "booksBought": books})
}

// restock orders one book from the warehouse. The order outlives the sale it comes from.
func (s *Store) restock(sale *http.Request) {
	ctx := context.WithoutCancel(sale.Context())
	order, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.config.Bookwarehouse+"/restock-books", strings.NewReader("1"))
	if err != nil {
		panic(err) // The address was checked when the settings were read.
	}
	order.Host = s.config.BookwarehouseName
	order.Header.Set("Content-Type", "text/plain")
	order.Header.Set("Identity", s.config.Identity)
	copyTracing(order.Header, sale.Header)
	s.restocking.Go(func() {
		if call := s.warehouse.Do(order); call.Verdict != calls.Allowed {
			s.log.Warn("not restocked", "verdict", call.Verdict, "status", call.Status, "reason", call.Reason)
		}
	})
}

// duration is how long the next sale takes.
func (c Config) duration() time.Duration {
	if c.SlowestSale <= c.FastestSale {
		return c.FastestSale
	}
	return c.FastestSale + rand.N(c.SlowestSale-c.FastestSale)
}

func (s *Store) counters(context.Context) ([]web.Counter, error) {
	return []web.Counter{{Key: "booksBought", Label: "books sold", Value: s.books.Load()}}, nil
}

// tracing lists the headers by which a trace is followed through a program that knows nothing else of tracing.
var tracing = [...]string{
	"X-Request-Id", "X-Ot-Span-Context", "B3", "X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Flags", "Traceparent", "Tracestate",
	"Uber-Trace-Id",
}

func copyTracing(to, from http.Header) {
	for _, name := range tracing {
		if values, ok := from[name]; ok {
			to[name] = values
		}
	}
}
