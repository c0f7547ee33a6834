package local

import (
	"regexp"
	"strings"
)

// logPrefix is what Envoy puts before each line of its log: time, thread, level, component and place.
var logPrefix = regexp.MustCompile(`^\[[^\]]*\]\[\d+\]\[(\w+)\]\[\w+\] (\[[^\]]*\] )?`)

// Complaint is what an Envoy said last in its log that is worse than a warning, with the lines that belong to it; empty
// when it did not complain.
func Complaint(log string) string {
	message, found := "", false
	for line := range strings.Lines(log) {
		match := logPrefix.FindStringSubmatch(line)
		switch {
		case match == nil && found:
			message += line
		case match != nil && (match[1] == "critical" || match[1] == "error"):
			message, found = strings.TrimPrefix(line, match[0]), true
		case match != nil:
			found = false
		}
	}
	return strings.TrimSpace(message)
}
