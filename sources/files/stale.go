package files

import (
	"fmt"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// A file that is being written is broken for a moment: it is empty, ends in the middle of a line, or has half a word where a
// number belongs. What it said before stays until it can be read again. Which document of before a broken one was is told by
// the object that it names; if it names none, by what stands around it:
//
//	before   now
//	a        a
//	b        (cannot be read: b stays)
//	c        c
//
// What is not there any more, in a file that can be read, was removed and is gone at once.

const (
	// grace is how long what is not there at all may be taken as being on its way: the rest of a file that ends in the middle
	// of something, the content of an empty file, and a file that was asked for by its name.
	grace = time.Second

	lastCounts = "the last version that could be read still counts"
)

// settled is the file beside what was read of it before, with what stays of that.
func (f *file) settled(before *file, now time.Time) *file {
	switch {
	case before == nil:
		return f
	case f == before:
		return f.patient(now)
	}
	s := newSuccession(before, f)
	if len(f.text.raw) > 0 {
		s.keepNamed()
		s.keepUnnamed()
	}
	s.keepComing(now)
	return f
}

// patient is the same file some time later: what did not come until now is gone.
func (f *file) patient(now time.Time) *file {
	if f.since.IsZero() || len(f.lingering) > 0 && now.Sub(f.since) < grace {
		return f
	}
	return &file{text: f.text, readings: f.readings}
}

// vanishing is a file that is not there; nil when it has not been there for long.
func (f *file) vanishing(now time.Time) *file {
	since := f.since
	if since.IsZero() {
		since = now
	}
	if now.Sub(since) >= grace {
		return nil
	}
	return &file{text: f.text, readings: f.readings, lingering: f.lingering, diagnostics: f.diagnostics, since: since}
}

// succession is a file as it was and as it is.
type succession struct {
	before, now *file
	// named are the objects that the file names now, whether they can be read or not.
	named map[identity]bool
	// where is the document in which an object stood before.
	where map[identity]int
	// heirs are, for each document of now, the one of before that it is; -1 for none. taken are those that have one.
	heirs []int
	taken []bool
}

func newSuccession(before, now *file) *succession {
	s := &succession{
		before: before, now: now, named: map[identity]bool{}, where: map[identity]int{},
		heirs: make([]int, len(now.readings)), taken: make([]bool, len(before.readings)),
	}
	for j, r := range before.readings {
		for _, o := range r.outcomes {
			if o.object != nil {
				s.where[o.identity()] = j
			}
		}
	}
	for i, r := range now.readings {
		s.heirs[i] = -1
		for _, o := range r.outcomes {
			if o.verdict != broken && o.verdict != usable {
				continue
			}
			s.named[o.identity()] = true
			if j, ok := s.where[o.identity()]; ok {
				s.heirs[i], s.taken[j] = j, true
			}
		}
	}
	return s
}

// missing are the objects of a document of before that the file does not name now.
func (s *succession) missing(j int) []outcome {
	return s.absent(s.before.readings[j].outcomes)
}

func (s *succession) absent(outcomes []outcome) []outcome {
	return slices.DeleteFunc(slices.Clone(outcomes), func(o outcome) bool { return o.object == nil || s.named[o.identity()] })
}

// keepNamed keeps the objects that are named and cannot be read.
func (s *succession) keepNamed() {
	for _, r := range s.now.readings {
		for i, o := range r.outcomes {
			if j, ok := s.where[o.identity()]; ok && o.verdict == broken {
				k := slices.IndexFunc(s.before.readings[j].outcomes, func(p outcome) bool { return p.object != nil && p.identity() == o.identity() })
				r.outcomes[i] = o.keeping(s.before.readings[j].outcomes[k])
			}
		}
	}
}

// keeping is a broken outcome with the object as it was before.
func (o outcome) keeping(before outcome) outcome {
	note := model.Note(model.StaleObject, o.ref, fmt.Sprintf("%s cannot be read any more", o.ref)).Did(lastCounts)
	note.Position = o.wrong()
	o.diagnostics = append(slices.Clip(o.diagnostics), note)
	return o.with(before)
}

// with is the outcome with an object of an earlier text.
func (o outcome) with(before outcome) outcome {
	o.verdict, o.stale = usable, true
	o.registered, o.ref, o.object, o.fingerprint = before.registered, before.ref, before.object, before.fingerprint
	return o
}

// unreadable says whether it cannot be told which object it is. A list without items is none, and is no mistake.
func (o outcome) unreadable() bool {
	return o.verdict == lost && slices.ContainsFunc(o.diagnostics, func(d model.Diagnostic) bool { return d.Level == model.Error })
}

// wrong is where the first mistake is.
func (o outcome) wrong() model.Position {
	for _, d := range o.diagnostics {
		if d.Level == model.Error {
			return d.Position
		}
	}
	return o.position()
}

// keepUnnamed keeps the objects of documents of which it cannot be told what they are now.
func (s *succession) keepUnnamed() {
	for i := range s.now.readings {
		r := &s.now.readings[i]
		lost := slices.IndexFunc(r.outcomes, outcome.unreadable)
		if lost < 0 && !r.broken {
			continue
		}
		stay := s.missingOf(i)
		if len(stay) == 0 {
			continue
		}
		at := &r.outcomes[max(lost, 0)]
		note := model.Note(model.StaleObject, model.Ref{}, fmt.Sprintf("what stood here cannot be read any more: %s", some(stay))).Did(lastCounts)
		note.Position = at.wrong()
		at.diagnostics = append(slices.Clip(at.diagnostics), note)
		for _, o := range stay {
			s.named[o.identity()] = true
			r.outcomes = append(slices.Clip(r.outcomes), outcome{place: at.place}.with(o))
		}
	}
}

// missingOf are the objects that a document of now does not name, although it must be the one that they stood in.
func (s *succession) missingOf(i int) []outcome {
	r := s.now.readings[i]
	if s.heirs[i] < 0 {
		s.heirs[i] = s.mostAlike(i)
		if s.heirs[i] < 0 {
			return nil
		}
		s.taken[s.heirs[i]] = true
		return s.missing(s.heirs[i])
	}
	missing := s.missing(s.heirs[i])
	unnamed := 0
	for _, o := range r.outcomes {
		if o.unreadable() {
			unnamed++
		}
	}
	if r.broken || len(missing) <= unnamed {
		return missing
	}
	return nil
}

// mostAlike finds which document of before one of now is that names nothing: one between its neighbours whose text is most
// like it.
func (s *succession) mostAlike(i int) int {
	low, high := -1, len(s.before.readings)
	for _, j := range s.heirs[:i] {
		low = max(low, j)
	}
	for _, j := range s.heirs[i+1:] {
		if j > low {
			high = min(high, j)
		}
	}
	best, most := -1, -1
	for j := low + 1; j < high; j++ {
		if likeness := alikeness(s.now.readings[i].document.content(), s.before.readings[j].document.content()); likeness > most &&
			!s.taken[j] && len(s.missing(j)) > 0 {
			best, most = j, likeness
		}
	}
	return best
}

// alikeness is how many bytes two texts have in common at their beginnings and ends.
func alikeness(a, b []byte) int {
	const enough = 1 << 12
	most := min(len(a), len(b), enough)
	head, tail := 0, 0
	for head < most && a[head] == b[head] {
		head++
	}
	for tail < most-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head + tail
}

// keepComing keeps what stood behind the place where a file ends now in the middle of something.
func (s *succession) keepComing(now time.Time) {
	since := s.before.since
	if len(s.before.lingering) == 0 || since.IsZero() {
		since = now
	}
	coming := s.coming()
	if len(coming) == 0 || now.Sub(since) >= grace {
		return
	}
	end, at := s.end()
	for _, o := range coming {
		s.now.lingering = append(s.now.lingering, outcome{place: end}.with(o))
	}
	s.now.since = since
	note := model.Note(model.StaleObject, model.Ref{}, fmt.Sprintf("the file ends here now, in the middle of something: %s", some(coming))).
		Did(lastCounts + " for a moment, as the rest may be on its way")
	note.Position = at
	s.now.diagnostics = append(s.now.diagnostics, note)
}

// coming are the objects that stood further down, in a file whose last document is broken, or that is empty.
func (s *succession) coming() []outcome {
	last, end := len(s.now.readings)-1, -1
	if len(s.now.text.raw) > 0 {
		if last < 0 || !s.now.readings[last].bad() {
			return nil
		}
		end = slices.Max(s.heirs)
	}
	var outcomes []outcome
	for j := end + 1; j < len(s.before.readings); j++ {
		outcomes = append(outcomes, s.missing(j)...)
	}
	return append(outcomes, s.absent(s.before.lingering)...)
}

// bad says whether something in the document cannot be read.
func (r reading) bad() bool {
	return r.broken || slices.ContainsFunc(r.outcomes, func(o outcome) bool { return o.unreadable() || o.verdict == broken || o.stale })
}

// end is the place of the last document and where it is wrong, or the beginning of an empty file.
func (s *succession) end() (place, model.Position) {
	if n := len(s.now.readings); n > 0 && len(s.now.readings[n-1].outcomes) > 0 {
		last := s.now.readings[n-1].outcomes[0]
		return last.place, last.wrong()
	}
	beginning := place{document: &document{text: s.now.text}, line: 1, column: 1}
	return beginning, beginning.position()
}

// some names the first three objects and counts the others.
func some(outcomes []outcome) string {
	const listed = 3
	list := ""
	for i, o := range outcomes[:min(listed, len(outcomes))] {
		if i > 0 {
			list += ", "
		}
		list += o.ref.String()
	}
	if more := len(outcomes) - listed; more > 0 {
		return fmt.Sprintf("%s and %d more", list, more)
	}
	return list
}
