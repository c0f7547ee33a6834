package hostile

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// question is what the neighbour does: it connects, and says something.
type question struct {
	Address string
	// TLS is nil for a connection in plaintext.
	TLS *handshake
	// Send is sent once the other side has had its chance to speak first.
	Send string
	// Port is the neighbour's own, another one each time: where two connections from one port are led to one place, the
	// kernel changes the port of one, and logs name it otherwise.
	Port int
}

// handshake is how the neighbour presents itself.
type handshake struct {
	Certificate string // the path without .crt and .key; empty to present none
	ServerName  string
	Protocols   []string // ALPN
	Version     uint16   // the latest that is offered; 0 for any
}

// answer is what came of it.
type answer struct {
	Connected bool
	// Shaken says that the handshake ended well for the neighbour. TLS 1.3 lets it believe so before its certificate is
	// looked at.
	Shaken bool
	// Local is the neighbour's end of the connection, by which logs name it.
	Local string
	// Got is every byte that the other side said.
	Got   string
	Error string
}

// How long the neighbour waits: for somebody who speaks first, for any word or the end, and for more words.
const (
	greeting = 300 * time.Millisecond
	anything = 5 * time.Second
	more     = 300 * time.Millisecond
)

// act asks the questions that come in and writes the answers, in the same order. It runs inside of a pod.
func act(in io.Reader, out io.Writer) error {
	var questions []question
	if err := json.NewDecoder(in).Decode(&questions); err != nil {
		return err
	}
	const atOnce = 16
	answers, turns := make([]answer, len(questions)), make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, q := range questions {
		all.Go(func() {
			turns <- struct{}{}
			answers[i] = q.ask()
			<-turns
		})
	}
	all.Wait()
	return json.NewEncoder(out).Encode(answers)
}

func (q question) ask() answer {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{Port: q.Port}}
	ctx, cancel := context.WithTimeout(context.Background(), anything)
	defer cancel()
	dialer.SetMultipathTCP(false)
	c, err := dialer.DialContext(ctx, "tcp", q.Address)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer func() { _ = c.Close() }()
	a := answer{Connected: true, Local: c.LocalAddr().String()}
	if q.TLS != nil {
		secured, err := q.TLS.over(ctx, c)
		if err != nil {
			a.Error = err.Error()
			return a
		}
		a.Shaken, c = true, secured
	}
	a.Got, a.Error = talk(c, q.Send)
	return a
}

// over does the handshake. Whoever answers is believed: the neighbour is after more than the truth.
func (h handshake) over(ctx context.Context, c net.Conn) (net.Conn, error) {
	config := &tls.Config{ServerName: h.ServerName, NextProtos: h.Protocols, MaxVersion: h.Version, InsecureSkipVerify: true}
	if h.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(h.Certificate+".crt", h.Certificate+".key")
		if err != nil {
			return nil, err
		}
		// Presented whether or not the server says that it knows the authority.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	secured := tls.Client(c, config)
	return secured, secured.HandshakeContext(ctx)
}

// talk listens, speaks if nobody did, and listens again until there is nothing more.
func talk(c net.Conn, send string) (got, trouble string) {
	var heard []byte
	listen := func(patience time.Duration) error {
		buffer := make([]byte, 32<<10)
		for wait := patience; ; wait = more {
			_ = c.SetReadDeadline(time.Now().Add(wait))
			n, err := c.Read(buffer)
			heard = append(heard, buffer[:n]...)
			if err != nil {
				return err
			}
		}
	}
	err := listen(greeting)
	if len(heard) == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		if _, err = c.Write([]byte(send)); err == nil {
			err = listen(anything)
		}
	}
	if len(heard) > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return string(heard), ""
	}
	return string(heard), err.Error()
}
