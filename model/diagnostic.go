package model

import (
	"cmp"
	"slices"
)

// Diagnostic is one finding about the input: what is wrong, where, what was done instead, and how to mend it. It is
// data: pure code returns diagnostics beside its value and never fails.
type Diagnostic struct {
	Code  Code  `json:"code"`
	Level Level `json:"level"`
	// Message says what is wrong, in one sentence without a full stop.
	Message string `json:"message"`
	// Instead says what was done instead; empty when nothing had to be.
	Instead string `json:"instead,omitempty"`
	// Fix says how to mend it; empty when the code's page says it all.
	Fix string `json:"fix,omitempty"`
	At  Ref    `json:"at,omitzero"`
	// Position is filled by the source that read the object, when it came from a file.
	Position Position `json:"position,omitzero"`
}

// Position is a place in a file; Line and Column count from 1, and 0 means unknown.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Level is how bad a finding is.
type Level string

// The levels, from worst to mildest.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Info    Level = "info"
)

// Rank is 0 for the worst level; an unknown level is as bad as an error.
func (l Level) Rank() int { return max(0, slices.Index([]Level{Error, Warning, Info}, l)) }

// Note makes a diagnostic of a code, at the level that the code has.
func Note(code Code, at Ref, message string) Diagnostic {
	return Diagnostic{Code: code, Level: code.Page().Level, Message: message, At: at}
}

// Did is the diagnostic with what was done instead.
func (d Diagnostic) Did(instead string) Diagnostic {
	d.Instead = instead
	return d
}

// Mend is the diagnostic with how to mend it.
func (d Diagnostic) Mend(fix string) Diagnostic {
	d.Fix = fix
	return d
}

// SortDiagnostics returns the diagnostics in their one order, without repetitions: by place, then code, then text.
func SortDiagnostics(ds []Diagnostic) []Diagnostic {
	sorted := slices.Clone(ds)
	slices.SortFunc(sorted, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), a.At.Compare(b.At), cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Instead, b.Instead), cmp.Compare(a.Fix, b.Fix))
	})
	return slices.Compact(sorted)
}
