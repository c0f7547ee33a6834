package sources

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An expression has passed through three hands before it matches a request: Go parses it here, RE2 compiles it in
// Envoy, and Envoy hands RE2 bytes (Latin-1) and not runes. Whatever one of them refuses must be refused here, for
// Envoy loses the whole route table over one bad expression.

// expressions are the findings about expressions, remembered by their text: a mesh repeats a few of them, such as .*,
// very often.
type expressions map[string]expression

// expression is what is known about one expression.
type expression struct {
	// problem says why Envoy could not use it, and mend what to write instead; both are empty when it can.
	problem, mend string
	// open says that whatever may follow a match is matched as well, so that matching in full and matching the
	// beginning are the same.
	open bool
}

const (
	// maxExpression bounds the text of an expression, in bytes.
	maxExpression = 10_000
	// maxProgram bounds what it compiles to, in instructions of RE2. Envoy's own bound must be at least this.
	maxProgram = 20_000
)

const shorter = "write a shorter expression, or several matches"

// check says whether Envoy can use an expression.
func (e expressions) check(text string) expression {
	found, known := e[text]
	if !known {
		found = examine(text)
		e[text] = found
	}
	return found
}

func examine(text string) expression {
	if len(text) > maxExpression {
		return expression{problem: fmt.Sprintf("it has %d characters, and %d are the most", len(text), maxExpression), mend: shorter}
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return expression{
			problem: strings.TrimPrefix(err.Error(), "error parsing regexp: "),
			mend:    "write an RE2 expression; it has no look-ahead, look-behind or back references",
		}
	}
	if problem := foreignEscape(text); problem != "" {
		return expression{problem: problem, mend: `write characters beyond ASCII as they are, and classes by the names of RE2, such as \p{L} or \p{Greek}`}
	}
	if size(tree) > maxProgram {
		return expression{problem: "it is too large once its repetitions are written out", mend: shorter}
	}
	return expression{open: endsOpen(tree)}
}

// foreignEscape finds an escape that Go knows and Envoy does not: characters beyond one byte, and names of classes in
// spellings that RE2 does not have.
func foreignEscape(text string) string {
	for {
		_, rest, found := strings.Cut(text, `\`)
		if !found || rest == "" {
			return ""
		}
		text = rest[1:]
		switch {
		case rest[0] == 'Q':
			_, text, _ = strings.Cut(rest, `\E`)
		case strings.HasPrefix(rest, "x{"):
			digits, _, _ := strings.Cut(rest[2:], "}")
			if n, err := strconv.ParseUint(digits, 16, 32); err != nil || n > 0xff {
				return fmt.Sprintf(`\x{%s} is more than one byte`, digits)
			}
		case rest[0] == 'p' || rest[0] == 'P':
			if name := className(rest[1:]); !isClass(name) {
				return fmt.Sprintf(`\%c{%s} is not a class that Envoy knows`, rest[0], name)
			}
		}
	}
}

// className is the name of the class after \p: one letter, or what stands in braces, without a negation.
func className(text string) string {
	if !strings.HasPrefix(text, "{") {
		_, width := utf8.DecodeRuneInString(text)
		return text[:width]
	}
	name, _, _ := strings.Cut(text[1:], "}")
	return strings.TrimPrefix(name, "^")
}

// isClass says whether RE2 knows a class: categories by their short names and scripts, spelled exactly.
func isClass(name string) bool {
	switch name {
	case "Any":
		return true
	case "Cn", "LC":
		return false
	}
	return unicode.Categories[name] != nil || unicode.Scripts[name] != nil
}

// size is at least the number of RE2 instructions that an expression needs.
func size(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass:
		return ranges(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 2
	case syntax.OpRepeat:
		most := max(re.Max, re.Min+1)
		return sizes(re.Sub)*most + (most - re.Min) + 2
	default:
		return sizes(re.Sub) + 2
	}
}

func sizes(parts []*syntax.Regexp) int {
	total := 0
	for _, part := range parts {
		// Bounded at each step, so that nested repetitions cannot overflow.
		total = min(total+size(part), maxProgram+1)
	}
	return total
}

// ranges bounds how many ranges of bytes a class is for RE2: characters beyond ASCII are several bytes each when they
// are written out, and there are at most 64 disjoint ranges of such bytes.
func ranges(pairs []rune) int {
	ascii := 0
	for ascii < len(pairs)/2 && pairs[2*ascii] < utf8.RuneSelf {
		ascii++
	}
	return max(1, ascii+min(64, utf8.UTFMax*(len(pairs)/2-ascii)))
}

// endsOpen says whether an expression ends in .* or .+, or says itself where the end is, in each of its alternatives.
func endsOpen(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEndText, syntax.OpEndLine:
		return true
	case syntax.OpStar, syntax.OpPlus:
		return re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL
	case syntax.OpConcat, syntax.OpCapture:
		return endsOpen(re.Sub[len(re.Sub)-1])
	case syntax.OpAlternate:
		for _, alternative := range re.Sub {
			if !endsOpen(alternative) {
				return false
			}
		}
		return true
	default:
		return false
	}
}
