package files

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v3"
)

// resolve is what a scalar means to kubectl, which reads YAML 1.1: nil, bool, int64, uint64, float64 or string. Unquoted
// yes, no, on, off, y and n are booleans there, and 010 is eight. A test compares it with the reader of sigs.k8s.io/yaml.
func resolve(n *yaml.Node) (any, error) {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		return resolveTagged(n.Tag, n.Value)
	case n.Style&quoted != 0:
		return n.Value, nil
	default:
		return resolvePlain(n.Value), nil
	}
}

// resolvePlain is what a scalar without quotes means.
func resolvePlain(s string) any {
	if s == "" {
		return nil
	}
	c := s[0]
	if strings.IndexByte("yYnNtTfFoO~.+-", c) >= 0 {
		if value, ok := resolveWord(s); ok {
			return value
		}
	}
	switch {
	case c == '.':
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	case (c == '+' || c == '-' || '0' <= c && c <= '9') && !timestamp(s):
		return resolveNumber(s)
	}
	return s
}

func resolveWord(s string) (any, bool) {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return true, true
	case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return false, true
	case "~", "null", "Null", "NULL":
		return nil, true
	case ".nan", ".NaN", ".NAN":
		return math.NaN(), true
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(+1), true
	case "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1), true
	}
	return nil, false
}

var decimal = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// resolveNumber is a number, or the text if it is none.
func resolveNumber(s string) any {
	plain := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return u
	}
	if decimal.MatchString(plain) {
		if f, err := strconv.ParseFloat(plain, 64); err == nil {
			return f
		}
	}
	// Binary with a second sign is a number to kubectl too.
	if rest, ok := strings.CutPrefix(plain, "0b"); ok {
		if i, err := strconv.ParseInt(rest, 2, 64); err == nil {
			return i
		}
	}
	if rest, ok := strings.CutPrefix(plain, "-0b"); ok {
		if i, err := strconv.ParseInt("-"+rest, 2, 64); err == nil {
			return i
		}
	}
	return s
}

// timestamp is true for what YAML 1.1 takes as a time, which stays a string.
func timestamp(s string) bool {
	if len(s) < 5 || strings.IndexByte(s, '-') != 4 || strings.Trim(s[:4], "0123456789") != "" {
		return false
	}
	for _, format := range []string{
		"2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00", "2006-1-2 15:4:5.999999999", "2006-1-2",
	} {
		if _, err := time.Parse(format, s); err == nil {
			return true
		}
	}
	return false
}

// resolveTagged is what a scalar with a tag such as !!str means. A tag that is not of YAML itself leaves a string.
func resolveTagged(tag, s string) (any, error) {
	value := resolvePlain(s)
	var ok bool
	switch tag {
	case "!!null":
		ok = value == nil
	case "!!bool":
		_, ok = value.(bool)
	case "!!int":
		_, ok = value.(int64)
		_, big := value.(uint64)
		ok = ok || big
	case "!!float":
		if i, isInt := value.(int64); isInt {
			value = float64(i)
		}
		_, ok = value.(float64)
	case "!!timestamp":
		value, ok = s, timestamp(s)
	case "!!binary":
		decoded, err := base64.StdEncoding.DecodeString(s)
		value, ok = string([]rune(string(decoded))), err == nil
	default:
		return s, nil
	}
	if !ok {
		return nil, fmt.Errorf("%q is not a %s", s, strings.TrimPrefix(tag, "!!"))
	}
	return value, nil
}

// resolveKey is the key of a mapping as text: the spelling of what it means, so that yes: is true:.
func resolveKey(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return "", errors.New("a key is not a string; is this a template that was not rendered?")
	}
	value, err := resolve(n)
	if err != nil {
		return "", err
	}
	switch value := value.(type) {
	case string:
		return value, nil
	case bool:
		return strconv.FormatBool(value), nil
	case int64:
		return strconv.FormatInt(value, 10), nil
	case float64:
		return floatKey(value), nil
	}
	return "", fmt.Errorf("a key is %s, not a string", n.Value)
}

func floatKey(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 32)
}

// appendScalar writes a value of resolve as JSON.
func appendScalar(out []byte, value any) ([]byte, error) {
	switch value := value.(type) {
	case nil:
		return append(out, "null"...), nil
	case bool:
		return strconv.AppendBool(out, value), nil
	case int64:
		return strconv.AppendInt(out, value, 10), nil
	case uint64:
		return strconv.AppendUint(out, value, 10), nil
	case string:
		return appendString(out, value), nil
	}
	number, err := json.Marshal(value)
	if err != nil {
		return out, errors.New("not-a-number and infinity are no values of a manifest")
	}
	return append(out, number...), nil
}

// appendString writes a JSON string.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, s[start:i]...)
		out = appendEscaped(out, s[i])
		start = i + 1
	}
	out = append(out, s[start:]...)
	return append(out, '"')
}

func appendEscaped(out []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(out, '\\', c)
	case '\n':
		return append(out, '\\', 'n')
	}
	return fmt.Appendf(out, `\u%04x`, c)
}
