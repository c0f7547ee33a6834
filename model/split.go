package model

// Split spreads requests for a root service over backends, at the client (SMI T1).
type Split struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	Root      ServiceID `json:"root"`
	// Requests are those that are split; others go to the root itself (SMI T9).
	Requests Requests      `json:"requests"`
	Backends List[Backend] `json:"backends"`
	From     Ref           `json:"from"`
}

// String is <namespace>/<name>.
func (s *Split) String() string { return s.Namespace + "/" + s.Name }

// Backend is a service and its relative weight (SMI T3). A weight of 0 gets no traffic.
type Backend struct {
	Service ServiceID `json:"service"`
	Weight  uint32    `json:"weight"`
	From    Ref       `json:"from"`
}
