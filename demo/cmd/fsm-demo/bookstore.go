package main

import (
	"context"
	"fmt"

	"github.com/flomesh-io/fsmc/demo/internal/bookstore"
	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

func bookstoreProgram(ctx context.Context, name string, args []string, w world) error {
	s := newSettings(name, w)
	port, format := s.port(webPort), s.journal()
	identity := s.text("identity", "IDENTITY", "bookstore", "what it calls itself in the `header` Identity")
	namespace := s.from("BOOKWAREHOUSE_NAMESPACE", "bookwarehouse")
	warehouse := s.address("bookwarehouse", fmt.Sprintf("bookwarehouse.%s.svc.cluster.local:%d", namespace, webPort),
		"where the bookwarehouse is, `HOST:PORT` (BOOKWAREHOUSE_NAMESPACE)")
	delay := value(s, "delay", "BOOKSTORE_DELAY", "150ms-900ms", "how long a sale takes, a `time` or a range of times", between)
	if err := s.read(args); err != nil {
		return err
	}
	log := logger(w, *identity)
	store := bookstore.New(bookstore.Config{
		Identity: *identity, Bookwarehouse: *warehouse,
		// The short name: a mesh has to know a service by each of its names.
		BookwarehouseName: "bookwarehouse." + namespace,
		FastestSale:       delay.from, SlowestSale: delay.to,
	}, calls.NewJournal(w.out, *format), log)
	defer store.Wait()
	return serving(*port, store.Handler(), log)(ctx)
}
