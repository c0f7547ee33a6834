package main

import (
	"context"
	"fmt"

	"github.com/flomesh-io/fsmc/demo/internal/bookwarehouse"
	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

func bookwarehouseProgram(ctx context.Context, name string, args []string, w world) error {
	s := newSettings(name, w)
	port, format := s.port(webPort), s.journal()
	identity := s.text("identity", "IDENTITY", "bookwarehouse", "what it calls itself on its `page`")
	address := s.address("database", fmt.Sprintf("mysql.%s.svc.cluster.local:%d", s.from("BOOKWAREHOUSE_NAMESPACE", "bookwarehouse"), mysqlPort),
		"where the database is, `HOST:PORT` (BOOKWAREHOUSE_NAMESPACE)")
	user := s.text("user", "MYSQL_USER", "root", "the `name` of its user")
	database := s.text("database-name", "MYSQL_DATABASE", databaseName, "the `name` of the database on it")
	if err := s.read(args); err != nil {
		return err
	}
	log := logger(w, *identity)
	stock, err := bookwarehouse.Open(bookwarehouse.StockConfig{
		Identity: *identity, Address: *address, User: *user, Password: s.from("MYSQL_ROOT_PASSWORD", demoPassword), Database: *database,
	}, calls.NewJournal(w.out, *format), log)
	if err != nil {
		return err
	}
	defer func() { _ = stock.Close() }()
	return together(ctx, serving(*port, bookwarehouse.Handler(*identity, stock, log), log), func(ctx context.Context) error {
		err := stock.Prepare(ctx)
		if ctx.Err() == nil && err != nil {
			log.Error("the database is of no use", "reason", err.Error())
		}
		<-ctx.Done()
		return nil
	})
}
