//go:build linux

package local

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/verdict"
)

// The headers of the echo server.
const (
	// workloadHeader is in every answer: nobody else sends it, so that it proves who answered.
	workloadHeader = "X-Echo-Workload"
	// statusHeader of a request chooses the status of the answer.
	statusHeader = "X-Echo-Status"
	// everyHeader of a request has the answer go on until the client has enough: a line in each interval.
	everyHeader = "X-Echo-Every"
	// echoHeader has the JSON where the body cannot: in answers to HEAD and to gRPC.
	echoHeader = "X-Echo"
)

// echo is the built-in server on one port of a pod.
type echo struct {
	pod  Pod
	port Port
}

func (e echo) serve(l net.Listener) {
	if e.port.Protocol.IsHTTP() {
		server := &http.Server{Handler: e, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
		_ = server.Serve(l)
		return
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go e.stream(c)
	}
}

// stream answers what it gets with a line of JSON and the same bytes: first whatever comes first, then line by line. A
// server that speaks first begins with a line of JSON.
func (e echo) stream(c net.Conn) {
	defer func() { _ = c.Close() }()
	if e.port.Protocol == model.TCPServerFirst && e.reply(c, nil) != nil {
		return
	}
	buffer := make([]byte, longestLine)
	if e.port.Protocol != model.TCPServerFirst {
		n, err := c.Read(buffer)
		if err != nil || e.reply(c, buffer[:n]) != nil {
			return
		}
	}
	from := bufio.NewReaderSize(c, longestLine)
	for {
		line, err := from.ReadSlice('\n')
		if len(line) > 0 && e.reply(c, line) != nil || err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// reply says who is here, and what came.
func (e echo) reply(c net.Conn, got []byte) error {
	said := e.said(c.RemoteAddr().String())
	said.Body = len(got)
	_, err := c.Write(slices.Concat(text(said), []byte{'\n'}, got))
	return err
}

// ServeHTTP answers any request.
func (e echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(workloadHeader, e.pod.Workload)
	said := e.said(r.RemoteAddr)
	said.Protocol, said.Method, said.Host, said.Path, said.Headers = r.Proto, r.Method, r.Host, r.RequestURI, map[string][]string{}
	for name, values := range r.Header {
		said.Headers[strings.ToLower(name)] = values
	}
	switch {
	case isWebsocket(r):
		said.Protocol = "websocket"
		serveWebsocket(w, r, text(said))
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
		said.Protocol = "grpc"
		w.Header().Set(echoHeader, string(text(said)))
		serveGRPC(w, r)
	default:
		e.page(w, r, said)
	}
}

func (e echo) page(w http.ResponseWriter, r *http.Request, said verdict.Echo) {
	n, _ := io.Copy(io.Discard, r.Body)
	said.Body = int(n)
	if r.Method == http.MethodHead {
		w.Header().Set(echoHeader, string(text(said)))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(wantedStatus(r))
	if _, err := w.Write(append(text(said), '\n')); err != nil {
		return
	}
	if every, err := time.ParseDuration(r.Header.Get(everyHeader)); err == nil && every > 0 {
		goOn(w, r, every, append(text(said), '\n'))
	}
}

// goOn sends a line again and again, until the client has gone.
func goOn(w http.ResponseWriter, r *http.Request, every time.Duration, line []byte) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for flush := http.NewResponseController(w).Flush; flush() == nil; {
		select {
		case <-ticker.C:
			if _, err := w.Write(line); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// wantedStatus is the status that the request chose, or 200.
func wantedStatus(r *http.Request) int {
	status, err := strconv.Atoi(r.Header.Get(statusHeader))
	if err != nil || status < 200 || status > 599 {
		return http.StatusOK
	}
	return status
}

// said is what the server says of itself to a peer.
func (e echo) said(peer string) verdict.Echo {
	return verdict.Echo{
		Namespace: e.pod.Namespace, Pod: e.pod.Name, Workload: e.pod.Workload,
		Port: int(e.port.Number), Protocol: string(e.port.Protocol), Peer: withoutPort(peer),
	}
}

func withoutPort(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	return at.Addr().Unmap().String()
}

func text(said verdict.Echo) []byte {
	b, err := json.Marshal(said)
	if err != nil {
		panic(err) // It is made of strings and numbers.
	}
	return b
}
