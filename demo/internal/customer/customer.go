// Package customer is bookbuyer and bookthief. They are one program: what tells them apart is who the mesh says they are.
package customer

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
	"github.com/flomesh-io/fsmc/demo/internal/web"
)

// A Config says who the customer is and how it shops.
type Config struct {
	// Name is bookbuyer or bookthief.
	Name string
	// Bookstore is the host and port of the shop.
	Bookstore string
	// ClientApp is sent as the header client-app. bookthief sends bookbuyer's name too: a header is no identity.
	ClientApp string
	// Expected is the status of an answer that is as it should be; 0 is no answer at all.
	Expected int
	// Pause is the time between two rounds.
	Pause time.Duration
	// Connections is how many shop at the same time, each over a connection of its own.
	Connections int
	// Rounds ends the program after so many rounds of all connections together; 0 is never.
	Rounds int
	// Successes is how many rounds have to be as expected before the customer is satisfied.
	Successes int
	// Outside are URLs beyond the mesh that are fetched in each round.
	Outside []string
}

// A Customer goes to the bookstore in rounds: it asks what it has bought so far, then buys a book.
type Customer struct {
	config  Config
	journal *calls.Journal
	log     *slog.Logger

	mu     sync.Mutex
	counts counts
	rounds rounds
}

// counts is what the page shows. A book counts when it was sold, not when its price was asked.
type counts struct {
	books, v1, v2             int64
	denied, refused, failures int64
}

// rounds is what decides when to end; /reset leaves it alone.
type rounds struct{ begun, asExpected int }

// New returns a customer that has not bought anything yet.
func New(config Config, journal *calls.Journal, log *slog.Logger) *Customer {
	return &Customer{config: config, journal: journal, log: log}
}

// Run shops until ctx ends or all rounds are done. It returns an error if too few rounds were as expected by then.
func (c *Customer) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range c.config.Connections {
		client := calls.NewClient(c.config.Name, c.journal)
		all.Go(func() { c.shop(ctx, client) })
	}
	all.Wait()
	if done := c.progress(); ctx.Err() == nil && done.asExpected < c.config.Successes {
		return fmt.Errorf("%d of %d rounds were as expected, wanted %d", done.asExpected, c.config.Rounds, c.config.Successes)
	}
	return nil
}

func (c *Customer) shop(ctx context.Context, client *calls.Client) {
	for more := c.begin(); more; more = c.begin() && c.pause(ctx) {
		expected := c.round(ctx, client)
		if ctx.Err() != nil {
			return
		}
		c.finish(expected)
	}
}

// pause waits for the next round and says whether there is to be one.
func (c *Customer) pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(c.config.Pause):
		return true
	}
}

// begin says whether there is another round to go.
func (c *Customer) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config.Rounds > 0 && c.rounds.begun == c.config.Rounds {
		return false
	}
	c.rounds.begun++
	return true
}

// round makes the calls of one round and says whether all were as expected.
func (c *Customer) round(ctx context.Context, client *calls.Client) bool {
	asked := c.call(ctx, client, "/books-bought")
	sold := c.call(ctx, client, "/buy-a-book/new")
	if ctx.Err() != nil {
		return false // The program ends: what was cut off says nothing.
	}
	c.count(sold)
	expected := asked.Expected && sold.Expected
	for _, url := range c.config.Outside {
		fetched := c.fetch(ctx, client, url)
		expected = expected && fetched.Expected
	}
	return expected
}

// call asks the bookstore.
func (c *Customer) call(ctx context.Context, client *calls.Client, path string) calls.Call {
	return client.Do(request(ctx, "http://"+c.config.Bookstore+path, map[string]string{
		"client-app": c.config.ClientApp,
		"user-agent": "Go-http-client/1.1",
	}), c.config.Expected)
}

// fetch asks somebody outside the mesh.
func (c *Customer) fetch(ctx context.Context, client *calls.Client, url string) calls.Call {
	return client.Do(request(ctx, url, nil))
}

func request(ctx context.Context, url string, headers map[string]string) *http.Request {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err) // The URLs were checked when the settings were read.
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return request
}

func (c *Customer) count(call calls.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch call.Verdict {
	case calls.Allowed:
		c.counts.books++
		if strings.HasPrefix(call.Server, "bookstore-v1") {
			c.counts.v1++
		}
		if strings.HasPrefix(call.Server, "bookstore-v2") {
			c.counts.v2++
		}
	case calls.Denied:
		c.counts.denied++
	case calls.Refused:
		c.counts.refused++
	default:
		c.counts.failures++
	}
}

func (c *Customer) finish(expected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !expected {
		return
	}
	c.rounds.asExpected++
	if c.rounds.asExpected == c.config.Successes {
		c.log.Info("as expected", "rounds", c.rounds.asExpected)
	}
}

func (c *Customer) progress() rounds {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rounds
}

// Counters returns what the page shows.
func (c *Customer) Counters(context.Context) ([]web.Counter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []web.Counter{
		{Key: "booksBought", Label: "books", Value: c.counts.books},
		{Key: "booksBoughtV1", Label: "from v1", Value: c.counts.v1},
		{Key: "booksBoughtV2", Label: "from v2", Value: c.counts.v2},
		{Key: "denied", Label: "denied (403)", Value: c.counts.denied},
		{Key: "refused", Label: "refused (no answer)", Value: c.counts.refused},
		{Key: "failed", Label: "failed", Value: c.counts.failures},
	}, nil
}

// Reset sets what the page shows to zero.
func (c *Customer) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = counts{}
}

// Handler serves the customer's page.
func (c *Customer) Handler() http.Handler {
	about := map[string]string{
		"bookbuyer": "buys books from the bookstore.",
		"bookthief": "says that it is bookbuyer, and wants books too.",
	}[c.config.Name]
	return web.Mux(web.Page{Title: c.config.Name, About: about, Counters: c.Counters, Reset: c.Reset})
}
