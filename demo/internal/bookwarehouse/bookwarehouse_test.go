package bookwarehouse_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/bookwarehouse"
	"github.com/flomesh-io/fsmc/demo/internal/calls"
	"github.com/flomesh-io/fsmc/demo/internal/mysql"
)

func TestRestock(t *testing.T) {
	database := listen(t)
	defer serve(t, database)()
	warehouse, journal := open(t, database)
	for _, test := range []struct {
		method, path, store, body string
		status                    int
		want                      string
	}{
		{"POST", "/restock-books", "bookstore-v1", "1", 200, `{"restocked":1,"stock":1}`},
		{"POST", "/restock-books", "bookstore-v2", "1", 200, `{"restocked":1,"stock":2}`},
		{"POST", "/", "bookstore-v1", " 40\n", 200, `{"restocked":40,"stock":42}`},
		{"POST", "/restock-books", "", "", 200, `{"restocked":1,"stock":43}`},
		{"POST", "/restock-books", "it's", "1", 200, `{"restocked":1,"stock":44}`},
		{"POST", "/restock-books", "bookstore-v1", "-1", 400, "error"},
		{"POST", "/restock-books", "bookstore-v1", "1 2", 400, "error"},
		{"POST", "/restock-books", strings.Repeat("x", 65), "1", 400, "error"},
		{"GET", "/restock-books", "bookstore-v1", "", 405, ""},
		{"POST", "/restock", "bookstore-v1", "1", 404, ""},
		{"GET", "/raw", "", "", 200, `{"bookstore-v1":41,"bookstore-v2":1,"it's":1,"restocked":44,"somebody":1}`},
		{"GET", "/", "", "", 200, `<dt>for bookstore-v2</dt><dd id="bookstore-v2">1</dd>`},
	} {
		answer := warehouse(test.method, test.path, test.store, test.body)
		if answer.Code != test.status || !strings.Contains(answer.Body.String(), test.want) {
			t.Errorf("%s %s %q answers %d %s", test.method, test.path, test.body, answer.Code, answer.Body.String())
		}
	}
	if lines := journal.lines(t); len(lines) != 5 || lines[0].From != "bookwarehouse" || lines[0].Verdict != calls.Allowed || lines[0].Request != "INSERT INTO stock" {
		t.Errorf("the journal says %+v", lines)
	}
}

// The database may come up later than the warehouse; an order that came before it waits.
func TestDatabaseComesUpLate(t *testing.T) {
	database := listen(t)
	shy := &shyListener{Listener: database}
	shy.refuse.Store(3)
	defer serve(t, shy)()
	warehouse, journal := open(t, database)
	if got := warehouse("GET", "/raw", "", ""); got.Code != 503 {
		t.Errorf("/raw answers %d", got.Code)
	}
	if got := warehouse("POST", "/restock-books", "bookstore-v1", "1"); got.Code != 200 || got.Body.String() != `{"restocked":1,"stock":1}`+"\n" {
		t.Errorf("it answers %d %s", got.Code, got.Body.String())
	}
	if lines := journal.lines(t); len(lines) != 1 || lines[0].Verdict != calls.Allowed {
		t.Errorf("the journal says %+v", lines)
	}
}

// The embedded database forgets everything when it restarts; the warehouse starts over.
func TestDatabaseRestarts(t *testing.T) {
	database := listen(t)
	kept := &keptListener{TCPListener: database.(*net.TCPListener)}
	stop := serve(t, kept)
	warehouse, _ := open(t, database)
	for range 2 {
		warehouse("POST", "/restock-books", "bookstore-v1", "1")
	}
	stop()
	if err := kept.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	defer serve(t, kept)()
	if got := warehouse("POST", "/restock-books", "bookstore-v1", "1"); got.Code != 200 || got.Body.String() != `{"restocked":1,"stock":1}`+"\n" {
		t.Errorf("it answers %d %s", got.Code, got.Body.String())
	}
}

func TestNoDatabase(t *testing.T) {
	for _, test := range []struct {
		name   string
		listen func(net.Listener)
		reason string
	}{
		{"refused", func(l net.Listener) { _ = l.Close() }, "connection refused"},
		{"closed before it spoke", func(l net.Listener) { go (&shyListener{Listener: l}).always() }, "connection closed without an answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			database := listen(t)
			defer func() { _ = database.Close() }()
			test.listen(database)
			var journal journal
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stock := stock(t, database.Addr().String(), &journal, slog.New(complaints{slog.DiscardHandler, cancel}))
			if _, err := stock.Add(ctx, "bookstore-v1", 1); err == nil {
				t.Error("it was stored nowhere")
			}
			if lines := journal.lines(t); len(lines) != 1 || lines[0].Verdict != calls.Refused || lines[0].Reason != test.reason {
				t.Errorf("the journal says %+v", lines)
			}
		})
	}
}

// A shyListener closes its first connections at once, as a sidecar does whose server is not there.
type shyListener struct {
	net.Listener
	refuse atomic.Int64
}

func (l *shyListener) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil || l.refuse.Add(-1) < 0 {
			return connection, err
		}
		_ = connection.Close()
	}
}

func (l *shyListener) always() {
	l.refuse.Store(1 << 40)
	_, _ = l.Accept()
}

// A keptListener outlives the servers on it.
type keptListener struct{ *net.TCPListener }

func (l *keptListener) Close() error { return l.SetDeadline(time.Unix(1, 0)) }

// A complaints calls heard when the warehouse complains.
type complaints struct {
	slog.Handler
	heard func()
}

func (complaints) Enabled(_ context.Context, level slog.Level) bool { return level == slog.LevelWarn }

func (c complaints) Handle(context.Context, slog.Record) error {
	c.heard()
	return nil
}

type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(text []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(text)
}

func (j *journal) lines(t *testing.T) []calls.Call {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []calls.Call
	for decoder := json.NewDecoder(&j.text); decoder.More(); {
		var call calls.Call
		if err := decoder.Decode(&call); err != nil {
			t.Fatal(err)
		}
		out = append(out, call)
	}
	return out
}

type asking func(method, path, store, body string) *httptest.ResponseRecorder

func open(t *testing.T, database net.Listener) (asking, *journal) {
	t.Helper()
	journal := &journal{}
	served := bookwarehouse.Handler("bookwarehouse", stock(t, database.Addr().String(), journal, quiet()), quiet())
	return func(method, path, store, body string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(method, path, strings.NewReader(body))
		request.Header.Set("Identity", store)
		answer := httptest.NewRecorder()
		served.ServeHTTP(answer, request)
		return answer
	}, journal
}

func stock(t *testing.T, address string, journal *journal, log *slog.Logger) *bookwarehouse.Stock {
	t.Helper()
	stock, err := bookwarehouse.Open(bookwarehouse.StockConfig{
		Identity: "bookwarehouse", Address: address, User: "root", Password: "mypassword", Database: "booksdemo",
	}, calls.NewJournal(journal, calls.JSON), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stock.Close() })
	return stock
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// serve runs a database until the function it returns is called.
func serve(t *testing.T, listener net.Listener) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := &mysql.Server{Password: "mypassword", Log: quiet()}
	go func() { ended <- server.Serve(ctx, listener) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
