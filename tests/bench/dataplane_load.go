package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// The processes of a site that are no sidecars: who asks, and who answers.
const (
	loadChild        = "load"
	applicationChild = "application"
)

// loadOrder is a load: so many connections, each with one request at a time, for so long. With a rate, requests begin at
// that rate, of all connections together, whether others are answered or not; without, each follows the answer before.
type loadOrder struct {
	Place       place
	Connections int
	Rate        int
	For         time.Duration
}

// loadReport is what came of a load. A request that is not answered as it should be is an error of the whole load. P50 and
// P99 are from when a request was to begin.
type loadReport struct {
	Requests          int
	Seconds, P50, P99 float64
}

// runLoad is the process that asks. It keeps its connections.
func runLoad(in io.Reader, out io.Writer) error {
	var kept []*asker
	return answering(in, out, func(o loadOrder) (any, error) {
		for len(kept) < o.Connections {
			a, err := newAsker(o.Place)
			if err != nil {
				return nil, err
			}
			kept = append(kept, a)
		}
		return together(kept[:o.Connections], o)
	})
}

func together(askers []*asker, o loadOrder) (loadReport, error) {
	times := make([][]float64, len(askers))
	failures := make([]error, len(askers))
	began := time.Now()
	var wait sync.WaitGroup
	for i, a := range askers {
		wait.Go(func() { times[i], failures[i] = a.askAll(o, began, i) })
	}
	wait.Wait()
	r := loadReport{Seconds: time.Since(began).Seconds()}
	var all []float64
	for _, t := range times {
		all = append(all, t...)
	}
	r.Requests, r.P50, r.P99 = len(all), quantile(all, 0.5), quantile(all, 0.99)
	if len(all) == 0 {
		failures = append(failures, errors.New("nothing was asked"))
	}
	return r, errors.Join(failures...)
}

// asker is a connection that asks.
type asker struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func newAsker(p place) (*asker, error) {
	conn, err := net.DialTimeout("tcp", p.Service.String(), 10*time.Second)
	if err != nil {
		return nil, err
	}
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\n\r\n", p.Path, p.Host)
	return &asker{conn, bufio.NewReader(conn), request}, nil
}

// askAll asks until the time is over, and returns how long each request took. A request whose time came while the one
// before had no answer yet has waited since then; how late this process wakes up for one does not count.
func (a *asker) askAll(o loadOrder, began time.Time, number int) (times []float64, err error) {
	if err := a.conn.SetDeadline(began.Add(o.For + 10*time.Second)); err != nil {
		return nil, err
	}
	var every time.Duration
	next := began
	if o.Rate > 0 {
		every = time.Second * time.Duration(o.Connections) / time.Duration(o.Rate)
		next = began.Add(every * time.Duration(number) / time.Duration(o.Connections))
	}
	for end := began.Add(o.For); ; {
		from := time.Now()
		switch {
		case from.After(end):
			return times, nil
		case every == 0:
		case next.After(from):
			time.Sleep(next.Sub(from))
			from = time.Now()
		default:
			from = next
		}
		next = next.Add(every)
		if err := a.ask(); err != nil {
			return times, err
		}
		times = append(times, time.Since(from).Seconds())
	}
}

// ask sends the request and reads its answer.
func (a *asker) ask() error {
	if _, err := a.conn.Write(a.request); err != nil {
		return err
	}
	status, length := "", 0
	for {
		line, err := a.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case status == "":
			status = string(line)
		case len(line) == 0:
			if _, err := a.in.Discard(length); err != nil {
				return err
			}
			if status != "HTTP/1.1 200 OK" {
				return fmt.Errorf("the answer is %s", status)
			}
			return nil
		default:
			if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("content-length")) {
				if length, err = strconv.Atoi(string(value)); err != nil {
					return err
				}
			}
		}
	}
}

// runApplication is the process that answers, at an address that it is told.
func runApplication(in io.Reader, out io.Writer) error {
	return answering(in, out, func(address string) (any, error) {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return false, err
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go answerAll(conn)
			}
		}()
		return true, nil
	})
}

// answerAll gives every request of a connection, none of which has a body, the same answer.
func answerAll(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	answer := append([]byte("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 128\r\n\r\n"), bytes.Repeat([]byte("x"), 128)...)
	for in := bufio.NewReader(conn); ; {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(bytes.TrimRight(line, "\r\n")) > 0 {
			continue
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
