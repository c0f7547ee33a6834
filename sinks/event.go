package sinks

import "time"

// Event is something that happened in a sink that is worth counting. It names kinds of things, and never a proxy, so
// that the number of different events is bounded.
type Event struct {
	Kind EventKind
	// Type is what kind of resource it is about: clusters, endpoints, routes, listeners, secrets; empty for streams.
	Type string
	// Reason says why: of a push, what it follows (see the constants); of a refusal, the cause.
	Reason string
	// Resources and Bytes are how much was sent.
	Resources, Bytes int
	// Took is how long it took, such as from a push to its acknowledgement.
	Took time.Duration
}

// Observer is told of events. It may be called from several goroutines, and must not wait.
type Observer func(Event)

// EventKind is what happened.
type EventKind string

// The kinds of events.
const (
	// StreamOpened and StreamClosed are about a proxy's stream; Reason is its protocol, delta or state-of-the-world.
	StreamOpened EventKind = "stream-opened"
	StreamClosed EventKind = "stream-closed"
	// StreamRefused is a stream that was not let in.
	StreamRefused EventKind = "stream-refused"
	// Pushed is a response that was sent; Reason is one of the push reasons.
	Pushed EventKind = "pushed"
	// Acknowledged is a response that a proxy took, Took after it was sent; Rejected one that it did not take.
	Acknowledged EventKind = "acknowledged"
	Rejected     EventKind = "rejected"
	// Coalesced is a state that a slow stream was never sent, because a newer one was there.
	Coalesced EventKind = "coalesced"
)

// The reasons of a push.
const (
	// PushSubscription answers a request for resources, PushSnapshot follows a new snapshot, PushCertificate a new
	// certificate or trust bundle, PushRetry sends again one by one what was rejected together.
	PushSubscription = "subscription"
	PushSnapshot     = "snapshot"
	PushCertificate  = "certificate"
	PushRetry        = "retry"
)
