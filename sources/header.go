package sources

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// headers are the conditions on headers of a match, by name. All must hold (SMI S5), also two whose names differ only
// in case; so one that cannot be used costs the match.
func (g *groupReader) headers(i int) ([]model.Header, bool) {
	var headers []model.Header
	written, ok := g.object.Spec.Matches[i].Headers, true
	for _, name := range slices.Sorted(maps.Keys(written)) {
		value, at := written[name], g.at(i, fmt.Sprintf("headers[%s]", name))
		switch found := g.known.check(value); {
		case !isHeaderName(name):
			g.note(invalidHeader(at, name))
			ok = false
		case value == "":
			// It can be meant as any value or as the empty one, and Envoy refuses it.
			g.note(invalidRegex(at, fmt.Sprintf("the expression for header %s is empty", name), "write .* for any value, or ^$ for the empty one"))
			ok = false
		case found.problem != "":
			g.note(invalidRegex(at, fmt.Sprintf("the expression %s for header %s cannot be used: %s", shortened(value), name, found.problem), found.mend))
			ok = false
		default:
			headers = append(headers, model.Header{Name: headerName(name), Value: value})
		}
	}
	slices.SortFunc(headers, compareHeaders)
	return headers, ok
}

func compareHeaders(a, b model.Header) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
}

func invalidHeader(at model.Ref, name string) model.Diagnostic {
	mend := "write the name of an HTTP header"
	if strings.HasPrefix(name, ":") {
		mend = "say path and method by pathRegex and methods, and the authority by the header host"
	}
	return model.Note(model.InvalidHeader, at, fmt.Sprintf("%q is not the name of a header", name)).
		Did("the match admits nothing").Mend(mend)
}

// headerName is a header as Envoy knows it: in lower case, and Host by its name in HTTP/2.
func headerName(name string) string {
	lower := strings.ToLower(name)
	if lower == "host" {
		return authority
	}
	return lower
}

const authority = ":authority"

// isHeaderName says whether a name is a token (RFC 9110, section 5.6.2). Of the pseudo headers only the authority can
// be asked for.
func isHeaderName(name string) bool {
	if name == authority {
		return true
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return name != ""
}
