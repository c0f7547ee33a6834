package live

import (
	"reflect"
	"time"

	"github.com/flomesh-io/fsmc/sources"
)

// HoldOff is how long changes wait for others that belong to them.
type HoldOff struct {
	// Quiet is how long nothing must have changed, Most how long a change waits at most.
	Quiet, Most time.Duration
}

// DefaultHoldOff waits for a quiet tenth of a second, and never longer than a second.
var DefaultHoldOff = HoldOff{Quiet: 100 * time.Millisecond, Most: time.Second}

// due is when to go on, of changes of which the first and the last came at these times.
func (h HoldOff) due(first, last time.Time) time.Time {
	quiet, most := last.Add(h.Quiet), first.Add(h.Most)
	if most.Before(quiet) {
		return most
	}
	return quiet
}

// endpointsOnly says whether nothing but endpoints and pods differs between two states. Such a change goes at once: calls
// to what has gone fail until it is known.
func endpointsOnly(a, b sources.Objects) bool {
	before, after := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range before.NumField() {
		switch before.Type().Field(i).Name {
		case "Endpoints", "EndpointSlices", "Pods":
			continue
		}
		if !same(before.Field(i), after.Field(i)) {
			return false
		}
	}
	return true
}

// same compares fields of Objects: lists of pointers by their pointers, others by value.
func same(a, b reflect.Value) bool {
	if a.Kind() != reflect.Slice {
		return a.Equal(b)
	}
	if a.Len() != b.Len() {
		return false
	}
	if a.Pointer() == b.Pointer() {
		return true
	}
	for i := range a.Len() {
		if !a.Index(i).Equal(b.Index(i)) {
			return false
		}
	}
	return true
}
