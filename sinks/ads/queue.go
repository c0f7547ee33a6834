package ads

import (
	"net"
	"sync"
)

// queues bound how many handshakes of one address are under way. The others of that address wait in a queue of their own,
// and not in front of those of other addresses. The queue has an end: each that waits has an open file.
type queues struct {
	most, waiting int

	mu sync.Mutex
	of map[string]*queue
}

// queue is the handshakes of one address.
type queue struct {
	room chan struct{}
	// members are those that are under way or wait.
	members int
}

func newQueues(most, waiting int) *queues {
	return &queues{most: most, waiting: waiting, of: map[string]*queue{}}
}

// enter waits until there is room for one more handshake of the address; what it returns makes room again. It is nil when too
// many wait already. Clients without an address of their own, those of a Unix socket, are one.
func (q *queues) enter(address net.Addr) (leave func()) {
	host, _, err := net.SplitHostPort(address.String())
	if err != nil {
		host = ""
	}
	own := q.join(host)
	if own == nil {
		return nil
	}
	own.room <- struct{}{}
	return func() {
		<-own.room
		q.mu.Lock()
		defer q.mu.Unlock()
		if own.members--; own.members == 0 {
			delete(q.of, host)
		}
	}
}

func (q *queues) join(host string) *queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	own, ok := q.of[host]
	if !ok {
		own = &queue{room: make(chan struct{}, q.most)}
		q.of[host] = own
	}
	if own.members >= q.waiting {
		return nil
	}
	own.members++
	return own
}
