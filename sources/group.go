package sources

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// routeGroup is an HTTPRouteGroup that has been read.
type routeGroup struct {
	// all are the matches that admit something, as a rule that names the group alone takes them (SMI A6).
	all []model.Match
	// byName has every name that is written; a name whose matches admit nothing has none.
	byName map[string][]model.Match
	// names are the names that are written, in their order.
	names []string
}

// resolveGroup reads an HTTPRouteGroup. One bad match costs that match, and a name given twice costs both.
func resolveGroup(o *HTTPRouteGroup, known expressions) (*routeGroup, []model.Diagnostic) {
	group := &routeGroup{byName: map[string][]model.Match{}}
	reader := groupReader{object: o, known: known}
	if len(o.Spec.Matches) == 0 {
		reader.note(model.Note(model.EmptyGroup, o.at("matches"), fmt.Sprintf("HTTPRouteGroup %s has no matches", o.Name)).
			Did("it matches no request").Mend("add a match; one with pathRegex .* and methods [\"*\"] takes every request"))
	}
	twice := reader.repeatedNames()
	for i, written := range o.Spec.Matches {
		match, ok := reader.match(i)
		ok = ok && !twice[written.Name]
		if written.Name != "" && group.byName[written.Name] == nil {
			group.byName[written.Name] = []model.Match{}
			group.names = append(group.names, written.Name)
		}
		if !ok {
			continue
		}
		group.all = append(group.all, match)
		if written.Name != "" {
			group.byName[written.Name] = append(group.byName[written.Name], match)
		}
	}
	reader.tellAnchored()
	return group, reader.notes
}

// groupReader reads the matches of one group and collects what is found about them.
type groupReader struct {
	object *HTTPRouteGroup
	known  expressions
	notes  []model.Diagnostic
	// closed are the matches whose path goes no further than what is written.
	closed []int
}

func (g *groupReader) note(d model.Diagnostic) { g.notes = append(g.notes, d) }

// at is a place in a match.
func (g *groupReader) at(i int, field string) model.Ref {
	return g.object.at(strings.TrimSuffix(fmt.Sprintf("matches[%d].%s", i, field), "."))
}

// at is a place in the group's text: matches stand at the top until v1alpha2, and below spec since (SMI S9).
func (o *HTTPRouteGroup) at(field string) model.Ref {
	if o.Version != "v1alpha1" && o.Version != "v1alpha2" {
		field = "spec." + field
	}
	return refTo(groupKind, o).At(field)
}

// repeatedNames finds the names that more than one match has, and the matches without a name (SMI S1).
func (g *groupReader) repeatedNames() map[string]bool {
	first, twice := map[string]int{}, map[string]bool{}
	for i, m := range g.object.Spec.Matches {
		if m.Name == "" {
			g.note(model.Note(model.UnnamedMatch, g.at(i, ""), "the match has no name").
				Did("it counts where a rule takes the whole group, and no rule can choose it").Mend("give it a name"))
			continue
		}
		earlier, repeated := first[m.Name]
		if !repeated {
			first[m.Name] = i
			continue
		}
		twice[m.Name] = true
		g.note(model.Note(model.DuplicateMatch, g.at(i, "name"), fmt.Sprintf("match %s is there already, as number %d", m.Name, earlier+1)).
			Did("all matches of this name admit nothing").Mend("give each match a name of its own"))
	}
	return twice
}

// match reads one match; it is false when it admits nothing. Path and methods that are left out are any path and all
// methods, also when nothing else is said (SMI S6, and how the ancestors read pathRegex "" and methods []).
func (g *groupReader) match(i int) (model.Match, bool) {
	path, pathOK := g.path(i)
	methods, methodsOK := g.methods(i)
	headers, headersOK := g.headers(i)
	match := model.Match{
		Path:      path,
		Methods:   model.ListOf(methods...),
		AnyMethod: methodsOK && len(methods) == 0,
		Headers:   model.ListOf(headers...),
	}
	return match, pathOK && methodsOK && headersOK
}

func (g *groupReader) path(i int) (string, bool) {
	text, at := g.object.Spec.Matches[i].PathRegex, g.at(i, "pathRegex")
	if text == "" {
		return ".*", true
	}
	found := g.known.check(text)
	if found.problem != "" {
		g.note(invalidRegex(at, "the expression "+shortened(text)+" cannot be used: "+found.problem, found.mend))
		return "", false
	}
	if !found.open {
		g.closed = append(g.closed, i)
	}
	return text, true
}

// tellAnchored says once in a group that paths are matched in full, where that differs from SMI's wording (SMI S2).
func (g *groupReader) tellAnchored() {
	if len(g.closed) == 0 {
		return
	}
	first := g.closed[0]
	message := fmt.Sprintf("the expression %s is matched against the whole path", shortened(g.object.Spec.Matches[first].PathRegex))
	if others := len(g.closed) - 1; others > 0 {
		message += fmt.Sprintf("; %s of this group too", count(others, "other", "others"))
	}
	g.note(model.Note(model.AnchoredPath, g.at(first, "pathRegex"), message).
		Did("longer paths that begin like this are not admitted").
		Mend("end it with .* to admit them, or with $ to say that they are not meant"))
}

func invalidRegex(at model.Ref, message, mend string) model.Diagnostic {
	return model.Note(model.InvalidRegex, at, message).Did("the match admits nothing").Mend(mend)
}

// shortened is a text for a message, cut where it becomes a burden.
func shortened(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

var httpMethods = []string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}

// methods are the methods of a match, in order; none with true are all methods. When all that are written are invalid
// the match admits none, rather than all.
func (g *groupReader) methods(i int) ([]string, bool) {
	written := g.object.Spec.Matches[i].Methods
	var methods []string
	for j, method := range written {
		if method != "*" && !slices.Contains(httpMethods, method) {
			g.note(model.Note(model.InvalidMethod, g.at(i, fmt.Sprintf("methods[%d]", j)), fmt.Sprintf("%q is not an HTTP method", method)).
				Did("it admits nothing").
				Mend(didYouMean(method, httpMethods, "write * or one of "+strings.Join(httpMethods, ", "))))
			continue
		}
		methods = append(methods, method)
	}
	if slices.Contains(methods, "*") {
		return nil, true
	}
	slices.Sort(methods)
	return slices.Compact(methods), len(methods) > 0 || len(written) == 0
}
