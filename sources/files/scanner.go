package files

import (
	"bytes"
	"encoding/json"
)

// A scanner walks over JSON text and finds where values stand. It looks at what holds a value together and no closer: the
// strict decoder sees every value that is used.
type scanner struct {
	data   []byte
	at     int
	depth  int
	failed bool
}

// maxDepth is how deep values may be nested. No object of Kubernetes comes near, and recursion stays bounded.
const maxDepth = 500

// object calls member for each member of the object at hand, with its key and where the key stands; member must consume
// the value.
func (s *scanner) object(member func(key string, at int)) {
	for first := true; s.another('{', '}', first); first = false {
		at := s.at
		key := s.string()
		s.expect(':')
		s.space()
		if s.failed {
			return
		}
		member(key, at)
	}
}

// array calls element for each element of the array at hand; element must consume it.
func (s *scanner) array(element func(index int)) {
	index := 0
	for first := true; s.another('[', ']', first); first = false {
		element(index)
		index++
	}
}

// another goes to the next element of what stands between two brackets, and is false at the end of it.
func (s *scanner) another(open, end byte, first bool) bool {
	if first {
		s.expect(open)
		s.depth++
		s.failed = s.failed || s.depth > maxDepth+1
	}
	s.space()
	if !s.failed && s.peek() == end {
		s.at++
		s.depth--
		return false
	}
	if !first {
		s.expect(',')
		s.space()
	}
	return !s.failed
}

// skip goes behind the value at hand.
func (s *scanner) skip() {
	for depth := 0; !s.failed; {
		s.space()
		switch c := s.peek(); c {
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
			s.failed = depth < 0
		case ',', ':':
			s.failed = depth == 0
			s.at++
		case '"':
			s.skipString()
		default:
			s.skipLiteral()
		}
		if depth == 0 {
			return
		}
	}
}

func (s *scanner) skipString() {
	for s.at++; ; s.at++ {
		i := bytes.IndexByte(s.data[min(s.at, len(s.data)):], '"')
		if i < 0 {
			s.failed = true
			return
		}
		s.at += i
		escapes := 0
		for s.data[s.at-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			s.at++
			return
		}
	}
}

// skipLiteral goes behind a number, true, false or null.
func (s *scanner) skipLiteral() {
	start := s.at
	for s.at < len(s.data) && bytes.IndexByte([]byte(" \t\r\n,:]}[{\""), s.data[s.at]) < 0 {
		s.at++
	}
	s.failed = s.at == start
}

// string is the string at hand; what is no string is a failure.
func (s *scanner) string() string {
	if s.peek() != '"' {
		s.failed = true
		return ""
	}
	start := s.at
	s.skipString()
	if s.failed {
		return ""
	}
	return unquoted(s.data[start:s.at])
}

// word is the value at hand if it is a string, else empty.
func (s *scanner) word() string {
	if s.peek() == '"' {
		return s.string()
	}
	s.skip()
	return ""
}

func (s *scanner) expect(c byte) {
	s.space()
	if s.peek() != c {
		s.failed = true
		return
	}
	s.at++
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek is the byte at hand, or 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// unquoted is the text of a JSON string; what is not valid in it is left as it is.
func unquoted(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(inner)
	}
	return s
}
