//go:build linux

package local

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// nameServer answers from the names that it was given last.
type nameServer struct{ names atomic.Pointer[names] }

// know has the server answer from other names.
func (n *nameServer) know(list []Name) {
	known := newNames(list)
	n.names.Store(&known)
}

// serve answers on port 53 of an address, over UDP and TCP, until the process ends. The server has to know names already.
func (n *nameServer) serve(address netip.Addr) error {
	at := netip.AddrPortFrom(address, 53).String()
	packets, err := net.ListenPacket("udp", at)
	if err != nil {
		return err
	}
	connections, err := net.Listen("tcp", at)
	if err != nil {
		return errors.Join(err, packets.Close())
	}
	go n.servePackets(packets)
	go n.serveConnections(connections)
	return nil
}

// The longest messages: what every resolver takes over UDP, and what fits before a length of two bytes.
const (
	longestPacket  = 512
	longestMessage = 1<<16 - 1
)

func (n *nameServer) servePackets(c net.PacketConn) {
	buffer := make([]byte, longestMessage)
	for {
		size, from, err := c.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if reply := n.names.Load().answer(buffer[:size], longestPacket); err == nil && reply != nil {
			_, _ = c.WriteTo(reply, from)
		}
	}
}

func (n *nameServer) serveConnections(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go n.serveConnection(c)
	}
}

// serveConnection answers queries, each of which has its length before it.
func (n *nameServer) serveConnection(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := n.names.Load().answer(query, longestMessage)
		if reply == nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}
