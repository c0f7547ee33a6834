package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/flomesh-io/fsmc/demo/internal/mysql"
)

func TestRoundTrip(t *testing.T) {
	db := open(t, start(t, "mypassword"), "mypassword", "")
	for _, statement := range []string{
		"CREATE DATABASE IF NOT EXISTS booksdemo",
		"CREATE DATABASE IF NOT EXISTS booksdemo;",
		"CREATE TABLE IF NOT EXISTS `booksdemo`.stock (store VARCHAR(64) PRIMARY KEY, books BIGINT NOT NULL)",
		"create table if not exists booksdemo.stock (x BIGINT) -- a comment",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for i, test := range []struct {
		store   string
		books   int64
		changed int64
	}{{"bookstore-v1", 3, 1}, {"it's \\ 本\n\x00\"", 4, 1}, {"bookstore-v1", -1, 2}} {
		done, err := db.Exec("INSERT INTO booksdemo.stock (store, books) VALUES (?, ?) ON DUPLICATE KEY UPDATE books = books + VALUES(books)", test.store, test.books)
		if err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
		if changed, _ := done.RowsAffected(); changed != test.changed {
			t.Errorf("row %d changed %d", i, changed)
		}
	}
	if got, want := all(t, db, "SELECT store, books FROM booksdemo.stock"), [][]any{{"bookstore-v1", int64(2)}, {"it's \\ 本\n\x00\"", int64(4)}}; !reflect.DeepEqual(got, want) {
		t.Errorf("rows are %q", got)
	}
}

func TestStatements(t *testing.T) {
	db := open(t, start(t, ""), "", "booksdemo")
	db.SetMaxOpenConns(1) // A session keeps its database.
	for _, test := range []struct {
		statement string
		want      string // rows, or an error's number and part of its text
	}{
		{"CREATE TABLE books (title VARCHAR(5), price BIGINT NULL, note TEXT, PRIMARY KEY (title))", "[]"},
		{"CREATE TABLE books (title VARCHAR(5))", "1050 already exists"},
		{"CREATE TABLE b (a BIGINT, A BIGINT)", "1060 Duplicate column name 'A'"},
		{"CREATE TABLE b (a BIGINT, PRIMARY KEY (b))", "1072 Key column 'b'"},
		{"CREATE TABLE b (a JSON)", "1235 'JSON)'"},
		{"CREATE TABLE b (a BIGINT AUTO_INCREMENT)", "1235 'AUTO_INCREMENT)'"},
		{"CREATE TABLE elsewhere.b (a BIGINT)", "1049 Unknown database 'elsewhere'"},
		{"CREATE DATABASE booksdemo", "1007 database exists"},
		{"INSERT INTO books (title, price) VALUES ('Momo', 12), ('Emil', NULL)", "[]"},
		{"INSERT INTO books (title, price) VALUES ('Lotte', 9), ('Momo', 1)", "1062 Duplicate entry 'Momo'"},
		{"SELECT * FROM books", "[[Momo 12 <nil>] [Emil <nil> <nil>]]"},
		{"SELECT COUNT(*), SUM(price) FROM books", "[[2 12]]"},
		{"select count(*) as n from booksdemo.books limit 1", "[[2]]"},
		{"SELECT TITLE FROM books LIMIT 1", "[[Momo]]"},
		{"SELECT SUM(title) FROM books", "1235 numbers only"},
		{"SELECT title, COUNT(*) FROM books", "1140"},
		{"SELECT author FROM books", "1054 Unknown column 'author'"},
		{"SELECT title FROM books WHERE price = 12", "1235 'WHERE price = 12'"},
		{"SELECT title FROM shelves", "1146 Table 'booksdemo.shelves' doesn't exist"},
		{"SELECT SLEEP(1)", "1235 'SLEEP(1)'"},
		{"DELETE FROM books", "1235 'DELETE FROM books'"},
		{"INSERT INTO books (title) VALUES ('too long')", "1406 Data too long for column 'title'"},
		{"INSERT INTO books (title, price) VALUES ('Pippi', 'dear')", "1366 Incorrect integer value: 'dear'"},
		{"INSERT INTO books (title, price) VALUES ('Pippi')", "1136 Column count"},
		{"INSERT INTO books (price) VALUES (1)", "1048 Column 'title' cannot be null"},
		{"INSERT INTO books (title, price) VALUES ('Momo', 5) ON DUPLICATE KEY UPDATE price = price - VALUES(price) + 1", "[]"},
		{"INSERT INTO books (title) VALUES ('Momo') ON DUPLICATE KEY UPDATE title = 'Emil'", "1235 does not change a key"},
		{"INSERT INTO books (title) VALUES ('Emil') ON DUPLICATE KEY UPDATE price = price + 1", "[]"},
		{"INSERT INTO books (title) VALUES ('Emil') ON DUPLICATE KEY UPDATE note = 'lost'", "[]"},
		{"SELECT title, price, note FROM books", "[[Momo 8 <nil>] [Emil <nil> lost]]"},
		{"INSERT INTO books (title, price) VALUES ('Max', 9223372036854775807)", "[]"},
		{"INSERT INTO books (title) VALUES ('Max') ON DUPLICATE KEY UPDATE price = price + 1", "1690 out of range"},
		{"SELECT SUM(price) FROM books", "1690 out of range"},
		{"SHOW TABLES", "[[books]]"},
		{"SHOW DATABASES", "[[booksdemo]]"},
		{"SELECT DATABASE(), @@version_comment, @@session.autocommit, @@what, VERSION(), 'a', -1", "[[booksdemo the embedded database of the fsm demo 1 <nil> 8.0.0-fsm-demo a -1]]"},
		{"SELECT *", "1096 No tables used"},
		{"SET NAMES utf8mb4", "[]"},
		{"USE nowhere", "1049 Unknown database 'nowhere'"},
		{"SELECT 1 /* one */ ; ", "[[1]]"},
		{"SELECT 'open", "1064"},
		{"SELECT 1 +", "1235 '+'"},
		{"INSERT INTO books (title VALUES ('x')", "1064 near 'VALUES ('x')'"},
		{"", "1065"},
	} {
		if got := outcome(t, db, test.statement); !matches(got, test.want) {
			t.Errorf("%s\n got %s\nwant %s", test.statement, got, test.want)
		}
	}
}

func TestPasswords(t *testing.T) {
	address := start(t, "mypassword")
	for _, test := range []struct{ password, database, want string }{
		{"mypassword", "booksdemo", ""},
		{"yourpassword", "", "1045 Access denied for user 'root' (using password: YES)"},
		{"", "", "1045 Access denied for user 'root' (using password: NO)"},
		{"mypassword", "elsewhere", "1049 Unknown database 'elsewhere'"},
	} {
		err := open(t, address, test.password, test.database).Ping()
		if got := said(err); test.want == "" && err != nil || !matches(got, test.want) {
			t.Errorf("%q gets %v", test.password, err)
		}
	}
}

func TestPreparedStatementsAreRefused(t *testing.T) {
	_, err := open(t, start(t, ""), "", "").Prepare("SELECT ?")
	if got := said(err); !matches(got, "1295") {
		t.Error(got)
	}
}

// The reason why the demo has a database: the server speaks first.
func TestServerSpeaksFirst(t *testing.T) {
	connection, err := net.Dial("tcp", start(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	var first [5]byte
	if _, err := io.ReadFull(connection, first[:]); err != nil || first[3] != 0 || first[4] != 10 {
		t.Errorf("it says %v (%v)", first, err)
	}
}

func TestNonsenseEndsItsConnectionOnly(t *testing.T) {
	address := start(t, "")
	for _, nonsense := range []string{"", "\x00", "GET / HTTP/1.1\r\nhost: mysql\r\n\r\n", "\xff\xff\xff\x01", "\x04\x00\x00\x01\x00\x02\x00\x00", strings.Repeat("\xff", 4096)} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(connection, nonsense)
		_ = connection.(*net.TCPConn).CloseWrite()
		_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
		_, err = io.Copy(io.Discard, connection)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			t.Errorf("%q keeps its connection", nonsense)
		}
		_ = connection.Close()
	}
	if err := open(t, address, "", "").Ping(); err != nil {
		t.Error(err)
	}
}

func TestEndsItsConnections(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	listener := listen(t)
	ended := make(chan error, 1)
	go func() { ended <- server("").Serve(ctx, listener) }()
	db := open(t, listener.Addr().String(), "", "")
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestManyClients(t *testing.T) {
	db := open(t, start(t, ""), "", "booksdemo")
	if _, err := db.Exec("CREATE TABLE stock (store VARCHAR(64) PRIMARY KEY, books BIGINT)"); err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for range 50 {
				if _, err := db.Exec("INSERT INTO stock (store, books) VALUES (?, 1) ON DUPLICATE KEY UPDATE books = books + 1", fmt.Sprint(i%2)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	if got := fmt.Sprint(all(t, db, "SELECT COUNT(*), SUM(books) FROM stock")); got != "[[2 400]]" {
		t.Error(got)
	}
}

func server(password string) *mysql.Server {
	return &mysql.Server{Password: password, Database: "booksdemo", Log: slog.New(slog.DiscardHandler)}
}

// start runs a server for the time of a test and returns its address.
func start(t *testing.T, password string) string {
	t.Helper()
	listener := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server(password).Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func open(t *testing.T, address, password, database string) *sql.DB {
	t.Helper()
	config := driver.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr, config.DBName = "root", password, "tcp", address, database
	config.InterpolateParams = true
	config.Logger = &driver.NopLogger{}
	connector, err := driver.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if strings.Contains(t.Name(), "Prepared") {
		config.InterpolateParams = false
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func outcome(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	rows, err := db.Query(statement)
	if err != nil {
		return said(err)
	}
	return fmt.Sprint(scan(t, rows))
}

func all(t *testing.T, db *sql.DB, statement string) [][]any {
	t.Helper()
	rows, err := db.Query(statement)
	if err != nil {
		t.Fatal(err)
	}
	return scan(t, rows)
}

func scan(t *testing.T, rows *sql.Rows) [][]any {
	t.Helper()
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := [][]any{}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i := range row {
			if text, ok := row[i].([]byte); ok {
				row[i] = string(text)
			}
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// said returns number and text of an error that the server sent.
func said(err error) string {
	var e *driver.MySQLError
	if errors.As(err, &e) {
		return fmt.Sprintf("%d %s", e.Number, e.Message)
	}
	return fmt.Sprint(err)
}

// matches says whether got is want, or starts with its number and has the rest of it somewhere.
func matches(got, want string) bool {
	if number, text, ok := strings.Cut(want, " "); ok && number != "" && number[0] != '[' {
		return strings.HasPrefix(got, number+" ") && strings.Contains(got, text)
	}
	return strings.HasPrefix(got, want)
}
