package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
	"github.com/flomesh-io/fsmc/demo/internal/customer"
)

// customerProgram is bookbuyer and bookthief.
func customerProgram(ctx context.Context, name string, args []string, w world) error {
	s := newSettings(name, w)
	port, format := s.port(webPort), s.journal()
	store := s.address("bookstore", fmt.Sprintf("%s.%s.svc.cluster.local:%d", s.from("BOOKSTORE_SVC", "bookstore"), s.from("BOOKSTORE_NAMESPACE", "bookstore"), webPort),
		"where the bookstore is, `HOST:PORT` (BOOKSTORE_SVC, BOOKSTORE_NAMESPACE)")
	app := s.text("client-app", "", "bookbuyer", "the `header` client-app")
	pause := value(s, "pause", "CI_SLEEP_BETWEEN_REQUESTS_SECONDS", "1", "the `seconds` between two rounds", seconds)
	connections := s.number("connections", "CI_CLIENT_CONCURRENT_CONNECTIONS", "1", "`how many` shop at the same time", 1)
	rounds := s.number("rounds", "CI_MAX_ITERATIONS_THRESHOLD", "0", "end after so many `rounds`; 0 is never", 0)
	successes := s.number("successes", "CI_MIN_SUCCESS_THRESHOLD", "1", "how many `rounds` have to be as expected", 0)
	expected := expectation(s, name)
	egress := value(s, "egress", "ENABLE_EGRESS", "false", "true: fetch pages from outside the mesh as well", strconv.ParseBool)
	outside := value(s, "egress-urls", "EGRESS_URLS", "http://edition.cnn.com,https://github.com", "which `URLs`, with commas", urls)
	if err := s.read(args); err != nil {
		return err
	}
	if !*egress {
		*outside = nil
	}
	log := logger(w, name)
	c := customer.New(customer.Config{
		Name: name, Bookstore: *store, ClientApp: *app, Expected: *expected, Pause: *pause,
		Connections: *connections, Rounds: *rounds, Successes: *successes, Outside: *outside,
	}, calls.NewJournal(w.out, *format), log)
	return together(ctx, serving(*port, c.Handler(), log), c.Run)
}

// expectation is 200 for a buyer. A thief expects no answer at all, unless it is told that the mesh lets it in.
func expectation(s *settings, name string) *int {
	variable, otherwise := "", strconv.Itoa(http.StatusOK)
	if name == "bookthief" {
		variable, otherwise = "BOOKTHIEF_EXPECTED_RESPONSE_CODE", "0"
	}
	return value(s, "expect", variable, otherwise, "the `status` that is as it should be; 0 is no answer", func(text string) (int, error) {
		return whole(text, 0, 599)
	})
}

func urls(text string) ([]string, error) {
	var out []string
	for one := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("%q is no http or https URL", one)
		}
		out = append(out, u.String())
	}
	return out, nil
}
