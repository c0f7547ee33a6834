package sources

import (
	"cmp"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// requests are those that one of the matches accepts, in one order and without repetition. Of no matches it is none.
func requests(matches []model.Match) model.Requests {
	if len(matches) == 0 {
		return model.Requests{}
	}
	ordered := slices.Clone(matches)
	slices.SortFunc(ordered, compareMatches)
	distinct := slices.CompactFunc(ordered, func(a, b model.Match) bool { return compareMatches(a, b) == 0 })
	return model.Requests{Matches: model.ListOf(distinct...)}
}

// compareMatches orders by path, methods (all come first), headers.
func compareMatches(a, b model.Match) int {
	return cmp.Or(
		cmp.Compare(a.Path, b.Path),
		slices.Compare(slices.Collect(a.Methods.Values()), slices.Collect(b.Methods.Values())),
		slices.CompareFunc(slices.Collect(a.Headers.Values()), slices.Collect(b.Headers.Values()), compareHeaders))
}

// sameRequests says whether two sets of requests are written alike.
func sameRequests(a, b model.Requests) bool {
	return a.All == b.All && slices.EqualFunc(slices.Collect(a.Matches.Values()), slices.Collect(b.Matches.Values()),
		func(m, n model.Match) bool { return compareMatches(m, n) == 0 })
}
