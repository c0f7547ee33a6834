package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

// The whole bookstore without a mesh: a customer buys, a store sells and restocks, the warehouse counts in the database.
func TestBookstore(t *testing.T) {
	database := start(t, nil, "mysql")
	warehouse := start(t, nil, "bookwarehouse", "--database", database.address, "--log", "json")
	store := start(t, map[string]string{"IDENTITY": "bookstore-v1"}, "bookstore", "--bookwarehouse", warehouse.address, "--delay", "0", "--log", "json")

	bought := shop(t, "bookbuyer", "--bookstore", store.address, "--rounds", "3", "--successes", "3")
	if len(bought) != 6 || bought[5].From != "bookbuyer" || bought[5].Server != "bookstore-v1" || bought[5].Request != "GET /buy-a-book/new" || bought[5].Verdict != calls.Allowed {
		t.Errorf("bookbuyer says %+v", bought)
	}
	if stolen := shop(t, "bookthief", "--bookstore", "127.0.0.1:1", "--rounds", "1"); len(stolen) != 2 || stolen[0].Verdict != calls.Refused || stolen[0].Status != 0 || !stolen[0].Expected {
		t.Errorf("bookthief says %+v", stolen)
	}
	if restocked := journal(t, store.end(t)); len(restocked) != 3 || restocked[0].Verdict != calls.Allowed || restocked[0].From != "bookstore-v1" {
		t.Errorf("bookstore says %+v", restocked)
	}
	if got := get(t, "http://"+warehouse.address+"/raw"); got != `{"bookstore-v1":3,"restocked":3}`+"\n" {
		t.Errorf("the warehouse has %s", got)
	}
	if stored := journal(t, warehouse.end(t)); len(stored) != 3 || stored[0].To != database.address {
		t.Errorf("bookwarehouse says %+v", stored)
	}
	database.end(t)
}

// shop runs a customer until it is done and returns its journal.
func shop(t *testing.T, args ...string) []calls.Call {
	t.Helper()
	var out bytes.Buffer
	code := execute(t.Context(), append([]string{"fsm-demo", args[0], "--port", "0", "--log", "json"}, args[1:]...),
		world{out: &out, err: io.Discard, getenv: environment(map[string]string{"CI_SLEEP_BETWEEN_REQUESTS_SECONDS": "0.001"})})
	if code != 0 {
		t.Errorf("%s ends with %d", args[0], code)
	}
	return journal(t, out.Bytes())
}

func TestCalledByItsName(t *testing.T) {
	var out bytes.Buffer
	if code := execute(t.Context(), []string{"/bookstore", "--help"}, world{out: io.Discard, err: &out, getenv: environment(nil)}); code != 0 {
		t.Errorf("ends with %d", code)
	}
	if !strings.Contains(out.String(), "BOOKSTORE_DELAY") {
		t.Errorf("says %s", out.String())
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		args        string
		environment map[string]string
		code        int
		says        string
	}{
		{args: "", code: 2, says: "Programs:"},
		{args: "help", code: 0, says: "Programs:"},
		{args: "bookworm", code: 2, says: "Programs:"},
		{args: "bookbuyer --port 65536", code: 2, says: "want a number from 0 to 65535"},
		{args: "bookbuyer --log yaml", code: 2, says: "want json, text or none"},
		{args: "bookbuyer --bookstore nowhere", code: 2, says: "want HOST:PORT"},
		{args: "bookbuyer --bookstore a/b:80", code: 2, says: `"a/b" is no host`},
		{args: "bookbuyer --egress-urls ftp://a", code: 2, says: "no http or https URL"},
		{args: "bookbuyer now", code: 2, says: `unexpected argument "now"`},
		{args: "bookbuyer", environment: map[string]string{"CI_SLEEP_BETWEEN_REQUESTS_SECONDS": "-1"}, code: 2, says: `CI_SLEEP_BETWEEN_REQUESTS_SECONDS="-1": want seconds`},
		{args: "bookthief", environment: map[string]string{"BOOKTHIEF_EXPECTED_RESPONSE_CODE": "no"}, code: 2, says: "BOOKTHIEF_EXPECTED_RESPONSE_CODE"},
		{args: "bookstore --delay 2-1", code: 2, says: "the shorter one"},
		{args: "mysql --engine oracle", code: 2, says: "want embedded or mysqld"},
		{args: "bookbuyer --port 0 --bookstore 127.0.0.1:1 --rounds 1", code: 1, says: "0 of 1 rounds were as expected, wanted 1"},
		{args: "bookthief --port 0 --bookstore 127.0.0.1:1 --rounds 1 --pause 0", code: 0, says: "as expected"},
	} {
		t.Run(test.args, func(t *testing.T) {
			var says bytes.Buffer
			args := append([]string{"fsm-demo"}, strings.Fields(test.args)...)
			if code := execute(t.Context(), args, world{out: io.Discard, err: &says, getenv: environment(test.environment)}); code != test.code {
				t.Errorf("ends with %d", code)
			}
			if !strings.Contains(says.String(), test.says) {
				t.Errorf("says %s", says.String())
			}
		})
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]span{
		"0": {}, "0.25": {250 * time.Millisecond, 250 * time.Millisecond}, "150ms-900ms": {150 * time.Millisecond, 900 * time.Millisecond}, "1-2s": {time.Second, 2 * time.Second},
	} {
		if got, err := between(text); got != want || err != nil {
			t.Errorf("%s is %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "soon", "-1", "NaN", "Inf", "1-", "1e9"} {
		if got, err := between(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// A running is a program that was started.
type running struct {
	address string
	out     *buffer
	cancel  func()
	ended   chan int
}

var listening = regexp.MustCompile(`msg=listening .*address=\S*:(\d+)`)

func start(t *testing.T, variables map[string]string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	log, says := io.Pipe()
	r := &running{out: &buffer{}, cancel: cancel, ended: make(chan int, 1)}
	go func() {
		r.ended <- execute(ctx, append([]string{"fsm-demo", args[0], "--port", "0"}, args[1:]...), world{out: r.out, err: says, getenv: environment(variables)})
		_ = says.Close()
	}()
	var read []byte
	for r.address == "" {
		var chunk [4096]byte
		n, err := log.Read(chunk[:])
		if err != nil {
			t.Fatalf("%s: %v: %s", args[0], err, read)
		}
		read = append(read, chunk[:n]...)
		if found := listening.FindSubmatch(read); found != nil {
			r.address = "127.0.0.1:" + string(found[1])
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	return r
}

// end ends a program in the way SIGTERM does and returns what it wrote to stdout.
func (r *running) end(t *testing.T) []byte {
	t.Helper()
	r.cancel()
	if code := <-r.ended; code != 0 {
		t.Errorf("a program ends with %d", code)
	}
	return r.out.text.Bytes()
}

type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func environment(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

func journal(t *testing.T, text []byte) []calls.Call {
	t.Helper()
	var out []calls.Call
	for decoder := json.NewDecoder(bytes.NewReader(text)); decoder.More(); {
		var call calls.Call
		if err := decoder.Decode(&call); err != nil {
			t.Fatal(fmt.Errorf("%w in %s", err, text))
		}
		out = append(out, call)
	}
	return out
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
