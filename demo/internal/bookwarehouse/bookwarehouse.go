// Package bookwarehouse restocks bookstores and keeps count in a MySQL database.
package bookwarehouse

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/web"
)

// Handler serves the warehouse.
func Handler(identity string, stock *Stock, log *slog.Logger) http.Handler {
	mux := web.Mux(web.Page{Title: identity, About: "restocks bookstores, and keeps count in its database.", Counters: stock.counters})
	restock := restocking(stock, log)
	mux.Handle("POST /restock-books", restock)
	mux.Handle("POST /{$}", restock)
	return mux
}

// longestName is how many characters of a store's name the table has room for.
const longestName = 64

// restocking answers an order: a number of books, 1 if the body is empty, from the store that the header Identity names.
func restocking(stock *Stock, log *slog.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		books, ok := ordered(r)
		store := r.Header.Get("Identity")
		if !ok || len(store) > longestName {
			web.Answer(w, http.StatusBadRequest, map[string]string{"error": "the body has to be a number of books, from 1 to a million"})
			return
		}
		if store == "" {
			store = "somebody"
		}
		total, err := stock.Add(r.Context(), store, books)
		if err != nil {
			log.Warn("not restocked", "store", store, "reason", err.Error())
			web.Answer(w, http.StatusServiceUnavailable, map[string]string{"error": "the database did not answer: " + err.Error()})
			return
		}
		web.Answer(w, http.StatusOK, map[string]int64{"restocked": books, "stock": total})
	}
}

func ordered(r *http.Request) (int64, bool) {
	text, err := io.ReadAll(io.LimitReader(r.Body, 32))
	if err != nil {
		return 0, false
	}
	number := strings.TrimSpace(string(text))
	if number == "" {
		return 1, true
	}
	books, err := strconv.ParseInt(number, 10, 64)
	return books, err == nil && books >= 1 && books <= 1_000_000
}

// counters shows the total first, then each store.
func (s *Stock) counters(ctx context.Context) ([]web.Counter, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	shelves, err := s.Shelves(ctx)
	if err != nil {
		return nil, err
	}
	total := web.Counter{Key: "restocked", Label: "books restocked"}
	var counters []web.Counter
	for _, shelf := range shelves {
		total.Value += shelf.Books
		counters = append(counters, web.Counter{Key: shelf.Store, Label: "for " + shelf.Store, Value: shelf.Books})
	}
	return append([]web.Counter{total}, counters...), nil
}
