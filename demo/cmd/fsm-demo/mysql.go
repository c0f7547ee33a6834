package main

import (
	"context"
	"errors"

	"github.com/flomesh-io/fsmc/demo/internal/mysql"
	"github.com/flomesh-io/fsmc/demo/internal/web"
)

const (
	mysqlPort    = 3306
	databaseName = "booksdemo"
	// demoPassword is the one the manifests have, so that the programs find each other without them too. There is nothing here to protect.
	demoPassword = "mypassword"
)

func mysqlProgram(ctx context.Context, name string, args []string, w world) error {
	s := newSettings(name, w)
	port := s.port(mysqlPort)
	database := s.text("database-name", "MYSQL_DATABASE", databaseName, "the `name` of the database it has from the start")
	engine := value(s, "engine", "MYSQL_ENGINE", "embedded", "`embedded`, or mysqld for the MySQL or MariaDB on the PATH", func(text string) (string, error) {
		if text != "embedded" && text != "mysqld" {
			return "", errors.New("want embedded or mysqld")
		}
		return text, nil
	})
	if err := s.read(args); err != nil {
		return err
	}
	log, password := logger(w, name), s.from("MYSQL_ROOT_PASSWORD", demoPassword)
	if *engine == "mysqld" {
		real := mysql.Real{Password: password, Database: *database, Port: *port, Output: w.err, Log: log}
		return real.Run(ctx)
	}
	listener, err := web.Listen(ctx, *port)
	if err != nil {
		return err
	}
	server := mysql.Server{Password: password, Database: *database, Log: log}
	return server.Serve(ctx, listener)
}
