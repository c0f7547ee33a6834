package disk

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file writes decoded JSON as YAML that every reader reads alike. Keys are sorted, blocks are indented by two
// columns and nothing is folded, so that a change of one value is a change of one line:
//
//	name: "no"
//	ports:
//	- number: 14001
//	  protocol: http
//
// Readers of YAML 1.1 and 1.2 disagree about plain text: no, 010, 1e3 and 12:30 are strings to one and booleans or
// numbers to another, and Envoy then refuses the file. Text that any of them could take for something else is quoted.

// appendYAML appends one document. The value is what encoding/json decodes into an any with UseNumber.
func appendYAML(b []byte, value any) []byte { return appendItem(b, value, 0) }

// appendItem appends a value that starts where b ends; what follows of it stands in the given column.
func appendItem(b []byte, value any, column int) []byte {
	switch v := value.(type) {
	case map[string]any:
		if len(v) > 0 {
			return appendMapping(b, v, column)
		}
	case []any:
		if len(v) > 0 {
			return appendSequence(b, v, column)
		}
	}
	return append(appendScalar(b, value), '\n')
}

// appendMapping appends the entries of a map. The first stands where b ends, the others in the given column.
func appendMapping(b []byte, m map[string]any, column int) []byte {
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = appendSpaces(b, column)
		}
		b = appendKey(b, key, column)
		b = appendMapped(b, m[key], column)
	}
	return b
}

// longestKey is a little less than how long a key may be to stand before its colon (YAML 1.2, 7.4.2: 1024 characters).
const longestKey = 1000

// appendKey appends a key and its colon.
func appendKey(b []byte, key string, column int) []byte {
	start := len(b)
	b = appendString(b, key)
	if len(b)-start <= longestKey {
		return append(b, ':')
	}
	b = slices.Insert(b, start, '?', ' ')
	b = append(b, '\n')
	return append(appendSpaces(b, column), ':')
}

// appendMapped appends the value of a key that stands in the given column. Sequences start in that column too.
func appendMapped(b []byte, value any, column int) []byte {
	switch v := value.(type) {
	case map[string]any:
		if len(v) > 0 {
			b = append(b, '\n')
			return appendMapping(appendSpaces(b, column+2), v, column+2)
		}
	case []any:
		if len(v) > 0 {
			b = append(b, '\n')
			return appendSequence(appendSpaces(b, column), v, column)
		}
	}
	b = append(b, ' ')
	return append(appendScalar(b, value), '\n')
}

// appendSequence appends items. The first dash stands where b ends, the others in the given column.
func appendSequence(b []byte, items []any, column int) []byte {
	for i, item := range items {
		if i > 0 {
			b = appendSpaces(b, column)
		}
		b = appendItem(append(b, '-', ' '), item, column+2)
	}
	return b
}

func appendScalar(b []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return fmt.Append(b, v)
	case json.Number:
		return appendNumber(b, string(v))
	case string:
		return appendString(b, v)
	case map[string]any:
		return append(b, "{}"...)
	case []any:
		return append(b, "[]"...)
	}
	panic(fmt.Sprintf("not decoded JSON: %T", value))
}

// appendNumber appends a JSON number. YAML 1.1 takes 1e6 for text: there, an exponent needs a point and a sign.
func appendNumber(b []byte, number string) []byte {
	mantissa, exponent, found := strings.Cut(strings.ToLower(number), "e")
	if !found {
		return append(b, number...)
	}
	b = append(b, mantissa...)
	if !strings.Contains(mantissa, ".") {
		b = append(b, ".0"...)
	}
	b = append(b, 'e')
	if exponent[0] != '-' && exponent[0] != '+' {
		b = append(b, '+')
	}
	return append(b, exponent...)
}

// appendString appends text, plain where that is safe and as a JSON string otherwise.
func appendString[T text](b []byte, s T) []byte {
	if isPlain(s) {
		return append(b, s...)
	}
	return appendQuoted(b, string(s))
}

// text is UTF-8.
type text interface{ ~string | ~[]byte }

// isPlain says whether every reader takes the unquoted text for just this string.
func isPlain[T text](s T) bool {
	if len(s) == 0 || !plainFirst[s[0]] || s[len(s)-1] == ' ' || s[len(s)-1] == ':' {
		return false
	}
	numeric := numericFirst[s[0]]
	for i := range len(s) {
		c := s[i]
		// A colon ends a key, and a number sign begins a comment.
		if !plainByte[c] || c == ' ' && s[i-1] == ':' || c == '#' && s[i-1] == ' ' {
			return false
		}
		numeric = numeric && numericByte[c]
	}
	return !numeric && (len(s) > len("-infinity") || !isWord(string(s)))
}

// isWord says whether the text is a word that some reader takes for a boolean, a null or a number.
func isWord(s string) bool {
	switch strings.ToLower(strings.TrimLeft(s, "+-.")) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "none", "inf", "infinity", "nan", "~", "=", "<<":
		return true
	}
	return false
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

var (
	plainFirst = bytesOf(letters + "0123456789/_.+^$(\\;")
	plainByte  = bytesOf(letters + "0123456789/_.+^$(\\;- :@=~)|*?!%&<>#")

	// Text is quoted that is made of what numbers, times and dates are made of, in any notation: 010, 0x1f, 1_000, 190:20:30,
	// 2001-12-14t21:59:43.10Z. Addresses such as 10.0.0.1 look like that too.
	numericFirst = bytesOf("0123456789.+")
	numericByte  = bytesOf("0123456789abcdefABCDEFxXoOtTzZ_.,:+- ")
)

func bytesOf(set string) (table [256]bool) {
	for i := range len(set) {
		table[set[i]] = true
	}
	return table
}

// appendQuoted appends the text in double quotes, on one line: what JSON writes, with everything escaped that YAML does
// not take literally.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case isPrintable(r):
			b = utf8.AppendRune(b, r)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}

// isPrintable says whether a rune may stand in a YAML file as it is (YAML 1.2, 5.1), breaks and the mark left out.
func isPrintable(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029', r == '\ufeff', r == '\ufffe', r == '\uffff':
		return false
	}
	return true
}

const spaces = "                                                                "

func appendSpaces(b []byte, n int) []byte {
	for n > len(spaces) {
		b = append(b, spaces...)
		n -= len(spaces)
	}
	return append(b, spaces[:n]...)
}
