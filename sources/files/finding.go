package files

import "github.com/flomesh-io/fsmc/model"

// finding is a diagnostic of which it is not known yet which object it is about.
type finding struct {
	code model.Code
	// level is empty for the one that the code has.
	level model.Level
	// path is the field, from the top of the document while it is parsed, from the top of the object afterwards.
	path     string
	offset   int
	position model.Position
	message  string
	instead  string
	fix      string
}

// diagnostic is the finding about an object.
func (f finding) diagnostic(object model.Ref) model.Diagnostic {
	d := model.Note(f.code, object.At(f.path), f.message).Did(f.instead).Mend(f.fix)
	d.Position = f.position
	if f.level != "" {
		d.Level = f.level
	}
	return d
}

// bad is true for a finding that costs the object.
func (f finding) bad() bool {
	return f.level == model.Error || f.level == "" && f.code.Page().Level == model.Error
}
