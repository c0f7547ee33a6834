package main

// reserveSize is how much memory a command that soon ends may take beyond what it needs, to collect garbage less often.
const reserveSize = 192 << 20

// reserve takes memory that the collector counts as used, for as long as it is kept: it waits until as much again has been
// allocated, and from then on collects at twice of what is in use and the reserve. Nothing is written there, so that the
// system gives no page for it; what comes of it is up to that much more garbage, and no limit that a big mesh would run
// into. Whoever sets GOGC or GOMEMLIMIT wants it otherwise.
func (w world) reserve() []byte {
	if w.spare == 0 || w.getenv("GOGC") != "" || w.getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, w.spare)
}
