//go:build linux

package local

import (
	"github.com/flomesh-io/fsmc/verdict"
)

// request is what is asked at the door of a mesh that runs. One connection carries one request.
type request struct {
	Kind      requestKind
	Question  verdict.Question
	Execution Execution
	Wanted    wanted
	Load      Load
}

type requestKind string

const (
	askRequest     requestKind = "ask"
	listRequest    requestKind = "list"
	executeRequest requestKind = "execute"
	applyRequest   requestKind = "apply"
	loadRequest    requestKind = "load"
)

// reply is what comes back: one, but several for a load, of which all but the last have More.
type reply struct {
	More bool
	// Outcomes are those that have not been told before.
	Outcomes []Outcome
	// Failures are what could not be applied.
	Failures Failures
	// Error is empty when there is none.
	Error  string
	Answer verdict.Answer
	Pods   []Status
	// Exit is the exit code of what was executed.
	Exit int
}

// signalled is a signal for what is executed; the client sends any number of them after its request.
type signalled struct{ Signal int }
