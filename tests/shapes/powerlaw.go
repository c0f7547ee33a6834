package shapes

import (
	"fmt"
	"math"
)

// The constants of the power-law shape. Papers publish the shapes of call graphs and not these numbers; they are our
// choice.
const (
	alpha         = 2.1 // exponent of the distribution of out-degrees
	meanOutDegree = 4
	appsPerHub    = 100 // one application in a hundred is a hub ...
	callersPerHub = 10  // ... that one in ten calls
	appsPerSpace  = 50
	groupShare    = 0.2
	maxMatches    = 30
	splitShare    = 0.05
)

// PowerLaw is a graph like those of large companies: most applications call a few others and some call hundreds; a few
// hubs are called by a tenth of all. A fifth of the applications restrict their callers to 1 to 30 matches, a twentieth
// of the Services are roots of splits.
func PowerLaw(services int) Graph {
	r := random(services)
	g := Graph{Name: fmt.Sprintf("power-law/%d", services)}
	splits := int(splitShare * float64(services))
	apps := services - 2*splits // a versioned application has three Services
	for i := range apps {
		g.Apps = append(g.Apps, App{Namespace: fmt.Sprintf("space-%d", i/appsPerSpace), Name: fmt.Sprintf("app-%d", i)})
	}
	for _, i := range r.choose(int(groupShare*float64(apps)), apps) {
		g.Apps[i].Matches = 1 + r.below(maxMatches)
	}
	for _, i := range r.choose(splits, apps) {
		g.Apps[i].Versioned = true
	}
	calls := newCallGraph(apps, &r)
	for i := range g.Apps {
		g.Apps[i].Calls = calls.of(i)
	}
	return g
}

// callGraph is whom each application calls.
type callGraph []map[int]bool

// newCallGraph deals the calls that each application makes, in random order: to each hub until it has its callers, and
// the rest to any others.
func newCallGraph(apps int, r *random) callGraph {
	calls := make(callGraph, apps)
	for i := range calls {
		calls[i] = map[int]bool{}
	}
	deck := deal(apps, r)
	for _, hub := range r.choose(max(1, apps/appsPerHub), apps) {
		deck = calls.fill(hub, max(1, apps/callersPerHub), deck)
	}
	for _, caller := range deck {
		for !calls.add(caller, r.below(apps)) {
		}
	}
	return calls
}

// deal is each caller as often as it calls, shuffled.
func deal(apps int, r *random) []int {
	order := r.choose(apps, apps)
	var callers []int
	for i, degree := range outDegrees(apps) {
		for range degree {
			callers = append(callers, order[i])
		}
	}
	deck := make([]int, 0, len(callers))
	for _, i := range r.choose(len(callers), len(callers)) {
		deck = append(deck, callers[i])
	}
	return deck
}

// fill gives a hub its callers from the deck, and returns those that are left.
func (c callGraph) fill(hub, callers int, deck []int) []int {
	var left []int
	for i, caller := range deck {
		if callers == 0 {
			return append(left, deck[i:]...)
		}
		if c.add(caller, hub) {
			callers--
			continue
		}
		left = append(left, caller)
	}
	return left
}

// add notes a call, unless it is known or would be a call of the application itself.
func (c callGraph) add(caller, callee int) bool {
	if caller == callee || c[caller][callee] {
		return false
	}
	c[caller][callee] = true
	return true
}

func (c callGraph) of(app int) []int {
	callees := make([]int, 0, len(c[app]))
	for i := range c {
		if c[app][i] {
			callees = append(callees, i)
		}
	}
	return callees
}

// outDegrees are the quantiles of the discrete power law that ends at the size of the graph, scaled to the mean.
func outDegrees(apps int) []int {
	degrees := make([]float64, apps)
	sum := 0.0
	for i := range degrees {
		u := (float64(i) + 0.5) / float64(apps)
		degrees[i] = math.Min(math.Floor(math.Pow(u, -1/(alpha-1))), float64(apps)/4)
		sum += degrees[i]
	}
	scaled := make([]int, apps)
	carry := 0.0
	for i, d := range degrees {
		exact := d*meanOutDegree*float64(apps)/sum + carry
		scaled[i] = min(int(exact), apps-1)
		carry = exact - float64(int(exact))
	}
	return scaled
}
