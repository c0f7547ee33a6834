package local

import (
	"errors"
	"strings"
)

// Failures are the error of Apply: what it could not do.
type Failures []Failure

// Failure is one thing that Apply could not do.
type Failure struct {
	// Pod is the pod that it is about, as <namespace>/<name>; empty when it is about the whole mesh.
	Pod string
	// Text says what, and where the pod is written.
	Text string
}

// Error implements error: a line for each.
func (f Failures) Error() string {
	texts := make([]string, len(f))
	for i, failure := range f {
		texts[i] = failure.Text
	}
	return strings.Join(texts, "\n")
}

// Broken are the pods that an error of Apply is about, as <namespace>/<name>: they are not there, or what should run in
// them does not.
func Broken(err error) []string {
	var failures Failures
	if !errors.As(err, &failures) {
		return nil
	}
	var pods []string
	for _, f := range failures {
		if f.Pod != "" {
			pods = append(pods, f.Pod)
		}
	}
	return pods
}
