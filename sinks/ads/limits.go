package ads

import (
	"cmp"
	"time"
)

// Limits bound what one proxy, or somebody who claims to be one, can take from the server and from others. A zero is the
// default.
type Limits struct {
	// FirstRequest is how long a stream may be open without a request; 15 s.
	FirstRequest time.Duration
	// Unknown is how long a proxy that the mesh does not have waits for a snapshot that has it; 30 s.
	Unknown time.Duration
	// Waiting is how many of them may wait at once; 1,000.
	Waiting int
	// Gone is how long a proxy keeps its stream that the mesh does not have any more; 30 s.
	Gone time.Duration
	// Wait is how long a resource waits for another one that has been sent; 15 s, as long as Envoy waits by default.
	Wait time.Duration
	// Linger is how long a cluster stays after its last user was replaced; 2 s.
	Linger time.Duration
	// Send is how long a proxy may leave a message unread; 30 s.
	Send time.Duration
	// MessageBytes is the size above which a message is split, if it can be; 3 MiB.
	MessageBytes int
	// RequestBytes is how big a request may be; 16 MiB.
	RequestBytes int
	// Names is how many names a request may have, and how many a stream may ask for that do not exist; 100,000.
	Names int
	// Streams is how many streams one proxy may have; beyond, its oldest ends; 4.
	Streams int
	// Handshakes is how many TLS handshakes may be under way at once; 256.
	Handshakes int
	// HandshakesOfOne is how many of them may be of one address, so that one client that does not go on keeps nobody else
	// out; 32.
	HandshakesOfOne int
	// WaitingOfOne is how many connections of one address may be in their handshake or wait for it; beyond, they are closed at
	// once; 1,024.
	WaitingOfOne int
	// Handshake is how long a connection may take to be set up; 20 s.
	Handshake time.Duration
}

func (l Limits) filled() Limits {
	return Limits{
		FirstRequest:    cmp.Or(l.FirstRequest, 15*time.Second),
		Unknown:         cmp.Or(l.Unknown, 30*time.Second),
		Waiting:         cmp.Or(l.Waiting, 1000),
		Gone:            cmp.Or(l.Gone, 30*time.Second),
		Wait:            cmp.Or(l.Wait, 15*time.Second),
		Linger:          cmp.Or(l.Linger, 2*time.Second),
		Send:            cmp.Or(l.Send, 30*time.Second),
		MessageBytes:    cmp.Or(l.MessageBytes, 3<<20),
		RequestBytes:    cmp.Or(l.RequestBytes, 16<<20),
		Names:           cmp.Or(l.Names, 100_000),
		Streams:         cmp.Or(l.Streams, 4),
		Handshakes:      cmp.Or(l.Handshakes, 256),
		HandshakesOfOne: cmp.Or(l.HandshakesOfOne, 32),
		WaitingOfOne:    cmp.Or(l.WaitingOfOne, 1024),
		Handshake:       cmp.Or(l.Handshake, 20*time.Second),
	}
}

func (l Limits) pace() pace { return pace{wait: l.Wait, linger: l.Linger, bytes: l.MessageBytes} }
