package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
)

// proxiesChild is the benchmark that is no benchmark, but the process of the simulated proxies.
const proxiesChild = "proxies"

// crew is what the process of the proxies is told first.
type crew struct {
	Address string
	// Proxies are their ids, with the number of their certificate each.
	Proxies []member
	Pairs   []pair
	Trust   []byte
}

type member struct {
	ID   string
	Pair int
}

type pair struct{ Chain, Key []byte }

// Then it is told one word a line, and answers each with a report.
const (
	connectWord = "connect" // every proxy connects, and its connection is ready
	followWord  = "follow"  // every proxy opens its stream and asks, with the versions that it has
	markWord    = "mark"    // what was counted is forgotten
	reportWord  = "report"  // nothing happens
	dropWord    = "drop"    // every stream and connection ends
)

// report is what was counted since the mark.
type report struct {
	Failed string
	// Seconds is how long what was asked for took, CPU what this process has used of all processors since it began.
	Seconds, CPU float64
	Messages     int
	Resources    map[string]int
	Removed      int
	Bytes        int
	// Last are when each proxy that got something sent its last answer, in nanoseconds of the epoch.
	Last []int64
	Heap uint64
}

// runProxies is the process of the proxies.
func runProxies(in io.Reader, out io.Writer) error {
	lines := bufio.NewReaderSize(in, 1<<20)
	text, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c crew
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	all, err := newProxies(c)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	for {
		word, err := lines.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := encoder.Encode(all.obey(word[:len(word)-1])); err != nil {
			return err
		}
	}
}

// proxies are all simulated proxies.
type proxies struct {
	list  []*proxy
	known *known
	ctx   context.Context
	stop  context.CancelFunc
}

func newProxies(c crew) (*proxies, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.Trust)
	var configs []*tls.Config
	for _, p := range c.Pairs {
		certificate, err := tls.X509KeyPair(p.Chain, p.Key)
		if err != nil {
			return nil, err
		}
		configs = append(configs, clientTLS(certificate, roots))
	}
	all := &proxies{known: newKnown()}
	for _, m := range c.Proxies {
		all.list = append(all.list, &proxy{id: m.ID, address: c.Address, tls: configs[m.Pair], known: all.known})
	}
	return all, nil
}

// clientTLS compares no host name, as the server's only name is a URI, and verifies all else.
func clientTLS(own tls.Certificate, roots *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, NextProtos: []string{"h2"}, InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots})
			return err
		},
	}
}

func (all *proxies) obey(word string) report {
	began := time.Now()
	err := all.doing(word)
	r := all.report(word)
	r.Seconds, r.CPU = time.Since(began).Seconds(), cpuTime().Seconds()
	if err != nil {
		r.Failed = err.Error()
	}
	return r
}

func (all *proxies) doing(word string) error {
	switch word {
	case connectWord:
		all.ctx, all.stop = context.WithCancel(context.Background())
		return all.each(func(p *proxy) error { return p.connect(all.ctx) })
	case followWord:
		return all.each(func(p *proxy) error { return p.follow(all.ctx) })
	case markWord:
		return all.each((*proxy).mark)
	case dropWord:
		all.stop()
		return all.each((*proxy).drop)
	case reportWord:
		return nil
	}
	return fmt.Errorf("what is %q?", word)
}

// each does something with every proxy, with many at once, and returns the first error.
func (all *proxies) each(do func(*proxy) error) error {
	const atOnce = 200 // fewer handshakes than a server takes at once
	room := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	var once sync.Once
	var failed error
	for _, p := range all.list {
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			if err := do(p); err != nil {
				once.Do(func() { failed = fmt.Errorf("%s: %w", p.id, err) })
			}
		})
	}
	wait.Wait()
	return failed
}

func (all *proxies) report(word string) report {
	r := report{Resources: map[string]int{}}
	for _, p := range all.list {
		p.add(&r)
	}
	if word != reportWord {
		r.Last = nil
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	r.Heap = memory.HeapInuse
	return r
}

// dialed is a connection that is ready.
func dialed(ctx context.Context, address string, config *tls.Config) (*grpc.ClientConn, error) {
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return nil, err
	}
	conn.Connect()
	for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
		if !conn.WaitForStateChange(ctx, state) {
			_ = conn.Close()
			return nil, fmt.Errorf("the connection is %s: %w", state, ctx.Err())
		}
	}
	return conn, nil
}
