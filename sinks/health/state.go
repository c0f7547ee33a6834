package health

import (
	"slices"
	"sync"
)

// A Condition is something that must hold before this process is ready.
type Condition struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Reason says why it is so.
	Reason string `json:"reason,omitempty"`
}

// State is which of the conditions hold. It can be used from several goroutines.
type State struct {
	mu         sync.RWMutex
	conditions []Condition
}

// NewState makes a state of which no condition holds yet.
func NewState(conditions ...string) *State {
	s := &State{}
	for _, name := range conditions {
		s.conditions = append(s.conditions, Condition{Name: name, Reason: "not yet"})
	}
	return s
}

// Set says whether a condition holds, and why. One that was not known is added.
func (s *State) Set(condition string, ok bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := Condition{Name: condition, OK: ok, Reason: reason}
	if i := slices.IndexFunc(s.conditions, func(c Condition) bool { return c.Name == condition }); i >= 0 {
		s.conditions[i] = set
		return
	}
	s.conditions = append(s.conditions, set)
}

// Ready says whether all conditions hold, and what each is.
func (s *State) Ready() ([]Condition, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.conditions), !slices.ContainsFunc(s.conditions, func(c Condition) bool { return !c.OK })
}
