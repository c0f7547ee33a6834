package certs

import (
	"cmp"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// A root is replaced in steps, whatever was edited at once, so that at every moment each proxy trusts whatever the
// others may still present:
//
//	a signs                   declared: b, and a no more
//	a signs, a+b trusted      all proxies acknowledge the new trust bundle
//	b signs, a+b trusted      every certificate is issued anew, and all proxies acknowledge theirs
//	b signs                   done
//
// What is known of a root while this goes on is two facts: whether all proxies trust it, and whether some proxy may
// still present a certificate of it. Everything follows from them, so that an edit in the middle, or back, needs no
// case of its own.

// State is where a rotation stands. It is never written into. As JSON it can be kept, so that a rotation goes on where it
// was when the control plane starts again.
type State struct {
	// Signs issues new certificates. It is always among Trusts.
	Signs model.Root `json:"signs"`
	// Trusts are the roots in the trust bundle, by name.
	Trusts []Trusted `json:"trusts"`
}

// Trusted is a root in the trust bundle.
type Trusted struct {
	Root model.Root `json:"root"`
	// Unknown says that some proxy may not trust it yet.
	Unknown bool `json:"unknown,omitempty"`
	// Used says that some proxy may present a certificate of it.
	Used bool `json:"used,omitempty"`
}

// Heard is what the proxies have said since the last step.
type Heard struct {
	// Settled says that every proxy has acknowledged everything.
	Settled bool
	// Waited is for how long that has been waited for, and Patience for how long it will be.
	Waited, Patience time.Duration
}

// Step is what was done to get from one state to the next.
type Step struct {
	Kind StepKind `json:"kind"`
	// Forced says that the proxies were not waited for any longer: some did not acknowledge what they had to.
	Forced bool `json:"forced,omitempty"`
}

// StepKind is what a step did.
type StepKind string

// The kinds of steps.
const (
	// Begins is the first state.
	Begins StepKind = "begins"
	// Rests says that nothing is to do, and nothing awaited.
	Rests StepKind = "rests"
	// AwaitsTrust waits until every proxy trusts the new roots, AwaitsCertificates until none presents a certificate of
	// an old one.
	AwaitsTrust        StepKind = "awaits-trust"
	AwaitsCertificates StepKind = "awaits-certificates"
	// Trusts adds roots to the trust bundle, Drops removes some.
	Trusts StepKind = "trusts"
	Drops  StepKind = "drops"
	// Signs has another root sign: every certificate is to be issued anew.
	Signs StepKind = "signs"
)

// Moved says whether the step has changed the trust bundle or the root that signs.
func (s Step) Moved() bool { return s.changesTrust() || s.Kind == Signs }

func (s Step) changesTrust() bool { return s.Kind == Begins || s.Kind == Trusts || s.Kind == Drops }

// Begin is the state of a mesh of which nothing is known but what is declared. Proxies of an earlier control plane may be
// there: they may know the root that signs only, and may present certificates of any.
func Begin(declared []model.Root) State {
	signs := signing(declared)
	var trusts []Trusted
	for _, root := range keys(declared) {
		trusts = append(trusts, Trusted{Root: root, Unknown: root != signs, Used: true})
	}
	return State{Signs: signs, Trusts: trusts}
}

// Next is the next state towards what is declared, by one step at most. No roots declared means the authority that the
// control plane keeps, the zero Root.
func Next(now State, declared []model.Root, heard Heard) (State, Step) {
	trusts, forced := hear(now, heard)
	signs, wanted := signing(declared), keys(declared)
	kind := Rests
	switch {
	case lacks(trusts, wanted):
		trusts, kind = withTrusted(trusts, wanted), Trusts
	case signs != now.Signs && !isUnknown(trusts, signs):
		trusts, kind = withUsed(trusts, signs), Signs
		now.Signs = signs
	case slices.ContainsFunc(trusts, func(t Trusted) bool { return isNeedless(t, now.Signs, wanted) }):
		trusts = slices.DeleteFunc(trusts, func(t Trusted) bool { return isNeedless(t, now.Signs, wanted) })
		kind = Drops
	case slices.ContainsFunc(trusts, func(t Trusted) bool { return t.Unknown }):
		kind = AwaitsTrust
	case slices.ContainsFunc(trusts, func(t Trusted) bool { return t.Used && t.Root != now.Signs }):
		kind = AwaitsCertificates
	}
	return State{Signs: now.Signs, Trusts: trusts}, Step{Kind: kind, Forced: forced}
}

// hear is what the roots are known for when the proxies have acknowledged everything, or are not waited for any longer.
func hear(now State, heard Heard) (trusts []Trusted, forced bool) {
	trusts = slices.Clone(now.Trusts)
	if !heard.Settled && heard.Waited < heard.Patience {
		return trusts, false
	}
	for i, t := range trusts {
		settled := Trusted{Root: t.Root, Used: t.Root == now.Signs}
		forced = forced || !heard.Settled && t != settled
		trusts[i] = settled
	}
	return trusts, forced
}

// signing is the root that is to sign. The order of the roots decides where it is not said.
func signing(declared []model.Root) model.Root {
	if i := slices.IndexFunc(declared, func(r model.Root) bool { return r.Signs }); i >= 0 {
		return key(declared[i])
	}
	return keys(declared)[0]
}

// keys are the roots by what they are, in order: the one that the control plane keeps if none is declared.
func keys(declared []model.Root) []model.Root {
	if len(declared) == 0 {
		return []model.Root{{}}
	}
	var all []model.Root
	for _, root := range declared {
		all = append(all, key(root))
	}
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}

// key is what a root is, without what it is for. A root that is kept elsewhere is another one.
func key(r model.Root) model.Root {
	r.Signs, r.From = false, model.Ref{}
	return r
}

func find(trusts []Trusted, root model.Root) int {
	return slices.IndexFunc(trusts, func(t Trusted) bool { return t.Root == root })
}

func lacks(trusts []Trusted, wanted []model.Root) bool {
	return slices.ContainsFunc(wanted, func(r model.Root) bool { return find(trusts, r) < 0 })
}

func withTrusted(trusts []Trusted, wanted []model.Root) []Trusted {
	for _, root := range wanted {
		if find(trusts, root) < 0 {
			trusts = append(trusts, Trusted{Root: root, Unknown: true})
		}
	}
	slices.SortFunc(trusts, func(a, b Trusted) int { return compare(a.Root, b.Root) })
	return trusts
}

func isUnknown(trusts []Trusted, root model.Root) bool { return trusts[find(trusts, root)].Unknown }

func withUsed(trusts []Trusted, root model.Root) []Trusted {
	trusts[find(trusts, root)].Used = true
	return trusts
}

// isNeedless says whether a root can be dropped: nobody declares it, and nobody needs it.
func isNeedless(t Trusted, signs model.Root, wanted []model.Root) bool {
	return t.Root != signs && !t.Used && !slices.Contains(wanted, t.Root)
}

// compare orders roots by everything that key keeps.
func compare(a, b model.Root) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Provider, b.Provider),
		cmp.Compare(a.SecretNamespace, b.SecretNamespace), cmp.Compare(a.SecretName, b.SecretName))
}
