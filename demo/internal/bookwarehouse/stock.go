package bookwarehouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

// A StockConfig says where the stock is kept.
type StockConfig struct {
	// Identity is what the journal calls the program.
	Identity string
	// Address is the host and port of the database.
	Address string
	User    string
	// Password of the user.
	Password string
	// Database is created if it is not there.
	Database string
}

// A Stock keeps in a MySQL database how many books were restocked for which bookstore.
type Stock struct {
	config  StockConfig
	journal *calls.Journal
	log     *slog.Logger
	db      *sql.DB
	made    atomic.Bool // whether the table was there the last time

	mu        sync.Mutex
	complaint string // the last one that was logged
}

// Timeout is how long a restocking waits for the database, the time it needs to come up included.
const Timeout = 8 * time.Second

// Open returns a stock. It does not wait for the database.
func Open(config StockConfig, journal *calls.Journal, log *slog.Logger) (*Stock, error) {
	settings := mysql.NewConfig()
	settings.User, settings.Passwd = config.User, config.Password
	settings.Net, settings.Addr = "tcp", config.Address
	settings.Timeout, settings.ReadTimeout, settings.WriteTimeout = Timeout/2, Timeout/2, Timeout/2
	settings.InterpolateParams = true // One round trip a statement, and no prepared ones.
	settings.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxIdleConns(2)
	return &Stock{config: config, journal: journal, log: log, db: db}, nil
}

// Close lets go of the database.
func (s *Stock) Close() error { return s.db.Close() }

// Add adds books for a store and returns how many there are of all stores.
func (s *Stock) Add(ctx context.Context, store string, books int64) (total int64, err error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	err = s.patiently(ctx, func(connection *sql.Conn) error {
		_, err := connection.ExecContext(ctx, "INSERT INTO "+s.table()+
			" (store, books) VALUES (?, ?) ON DUPLICATE KEY UPDATE books = books + VALUES(books)", store, books)
		return err
	})
	s.record("INSERT INTO stock", began, err)
	if err != nil {
		return 0, err
	}
	err = s.db.QueryRowContext(ctx, "SELECT SUM(books) FROM "+s.table()).Scan(&total)
	return total, err
}

// A Shelf is what was restocked for one store.
type Shelf struct {
	Store string
	Books int64
}

// Shelves returns what was restocked, by store. It does not wait for a database that is away.
func (s *Stock) Shelves(ctx context.Context) (shelves []Shelf, err error) {
	if !s.made.Load() {
		return nil, errors.New("the database is not there yet")
	}
	rows, err := s.db.QueryContext(ctx, "SELECT store, books FROM "+s.table())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var shelf Shelf
		if err := rows.Scan(&shelf.Store, &shelf.Books); err != nil {
			return nil, err
		}
		shelves = append(shelves, shelf)
	}
	return shelves, rows.Err()
}

// Prepare waits until the database is there and makes the table. It returns an error only when ctx ends.
func (s *Stock) Prepare(ctx context.Context) error {
	began := time.Now()
	err := s.patiently(ctx, func(*sql.Conn) error { return nil })
	if err == nil {
		s.log.Info("the database is there", "address", s.config.Address, "after", time.Since(began).Round(time.Millisecond).String())
	}
	return err
}

// patiently does something on a connection to a database that has the table. It tries again for as long as nothing can have been stored: the connection
// was not made, was found closed, or the table was gone with the database's last life.
func (s *Stock) patiently(ctx context.Context, do func(*sql.Conn) error) error {
	var reason error
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := s.once(ctx, do)
		if err == nil || !again(err) {
			return err
		}
		if reason != nil && ctx.Err() != nil {
			return reason // That the time is up says less.
		}
		reason = err
		s.complain(err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// complain logs why the database is away, once for each reason.
func (s *Stock) complain(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reason := err.Error(); reason != s.complaint {
		s.complaint = reason
		s.log.Warn("the database is not there", "address", s.config.Address, "reason", reason)
	}
}

func (s *Stock) once(ctx context.Context, do func(*sql.Conn) error) error {
	connection, err := s.db.Conn(ctx)
	if err != nil {
		return notConnected{err}
	}
	defer func() { _ = connection.Close() }()
	if !s.made.Load() {
		for _, statement := range []string{
			"CREATE DATABASE IF NOT EXISTS " + quoted(s.config.Database),
			"CREATE TABLE IF NOT EXISTS " + s.table() + " (store VARCHAR(64) PRIMARY KEY, books BIGINT NOT NULL)",
		} {
			if _, err := connection.ExecContext(ctx, statement); err != nil {
				return notConnected{err}
			}
		}
		s.made.Store(true)
	}
	err = do(connection)
	if gone(err) {
		s.made.Store(false)
	}
	return err
}

func (s *Stock) table() string { return quoted(s.config.Database) + ".stock" }

func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// A notConnected is an error from before anything was to be stored.
type notConnected struct{ error }

func (e notConnected) Unwrap() error { return e.error }

// again says whether trying again can help and cannot store twice.
func again(err error) bool {
	var said *mysql.MySQLError
	var early notConnected
	if errors.As(err, &said) && said.Number == 1045 {
		return true // A database that comes up may not know its users yet.
	}
	return errors.As(err, &early) || errors.Is(err, driver.ErrBadConn) || gone(err)
}

// gone says whether the database lost the table.
func gone(err error) bool {
	var said *mysql.MySQLError
	return errors.As(err, &said) && (said.Number == 1049 || said.Number == 1146)
}

// record writes a call of the database to the journal.
func (s *Stock) record(request string, began time.Time, err error) {
	call := calls.Call{Time: began, From: s.config.Identity, To: s.config.Address, Request: request, Verdict: calls.Allowed, Expected: err == nil,
		Milliseconds: calls.Milliseconds(time.Since(began))}
	if err != nil {
		call.Verdict, call.Reason = calls.Judge(0, err), calls.Reason(err)
		// What a sidecar refuses ends before the server has spoken, which the driver has words of its own for.
		if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) {
			call.Verdict, call.Reason = calls.Refused, "connection closed without an answer"
		}
	}
	s.journal.Write(call)
}
