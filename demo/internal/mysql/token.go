package mysql

import (
	"fmt"
	"strings"
)

type kind int

const (
	end kind = iota
	word
	quoted   // `a name`
	number   // digits
	literal  // 'a text'
	variable // @@name
	symbol
)

type token struct {
	kind kind
	text string // without quotes
	at   int
}

// is says whether a token is this word, in any case, or this symbol.
func (t token) is(text string) bool {
	return (t.kind == word || t.kind == symbol) && strings.EqualFold(t.text, text)
}

// tokens splits a statement. Comments are no part of it.
func tokens(text string) ([]token, error) {
	var out []token
	for at := 0; at < len(text); {
		t, next, err := scan(text, at)
		if err != nil {
			return nil, err
		}
		if t.kind != end {
			out = append(out, t)
		}
		at = next
	}
	return append(out, token{kind: end, at: len(text)}), nil
}

// scan reads the token at a place and returns where the next one starts. Space and comments come as end.
func scan(text string, at int) (token, int, error) {
	rest := text[at:]
	c := rest[0]
	switch {
	case strings.ContainsRune(" \t\r\n", rune(c)):
		return token{}, at + 1, nil
	case strings.HasPrefix(rest, "/*"):
		if i := strings.Index(rest[2:], "*/"); i >= 0 {
			return token{}, at + i + 4, nil
		}
	case strings.HasPrefix(rest, "-- "), c == '#':
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			return token{}, at + i + 1, nil
		}
		return token{}, len(text), nil
	case c == '\'' || c == '"':
		return scanText(text, at)
	case c == '`':
		if i := strings.IndexByte(rest[1:], '`'); i > 0 {
			return token{quoted, rest[1 : i+1], at}, at + i + 2, nil
		}
	case strings.HasPrefix(rest, "@@"):
		n := length(rest[2:], func(c byte) bool { return isWord(c) || c == '.' })
		return token{variable, rest[2 : 2+n], at}, at + 2 + n, nil
	case isDigit(c):
		n := length(rest, isWord)
		return token{number, rest[:n], at}, at + n, nil
	case isWord(c):
		n := length(rest, isWord)
		return token{word, rest[:n], at}, at + n, nil
	case strings.IndexByte("(),.=+-*;", c) >= 0:
		return token{symbol, rest[:1], at}, at + 1, nil
	}
	return token{}, 0, syntaxError(rest)
}

// scanText reads a quoted text with the escapes that clients use.
func scanText(text string, at int) (token, int, error) {
	quote := text[at]
	var out strings.Builder
	for i := at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			out.WriteByte(unescape(text[i]))
		case c == quote && i+1 < len(text) && text[i+1] == quote:
			i++
			out.WriteByte(quote)
		case c == quote:
			return token{literal, out.String(), at}, i + 1, nil
		default:
			out.WriteByte(c)
		}
	}
	return token{}, 0, syntaxError(text[at:])
}

func unescape(c byte) byte {
	if i := strings.IndexByte("0nrtbZ", c); i >= 0 {
		return "\x00\n\r\t\b\x1a"[i]
	}
	return c
}

func length(text string, belongs func(byte) bool) int {
	for i := range len(text) {
		if !belongs(text[i]) {
			return i
		}
	}
	return len(text)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func syntaxError(near string) error {
	if len(near) > 80 {
		near = near[:80]
	}
	return &Error{Code: 1064, State: "42000", Message: fmt.Sprintf("You have an error in your SQL syntax near '%s'", near)}
}
