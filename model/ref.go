package model

import "cmp"

// Ref is where a fact was written: an object and a field in it. The zero value is nowhere.
type Ref struct {
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Field is a path such as spec.rules[0].matches[1]; empty means the object as a whole.
	Field string `json:"field,omitempty"`
}

// At is the same object at another field.
func (r Ref) At(field string) Ref {
	r.Field = field
	return r
}

// Object is the same object as a whole.
func (r Ref) Object() Ref { return r.At("") }

// String is <kind> <namespace>/<name> <field>.
func (r Ref) String() string {
	s := r.Kind + " " + r.Name
	if r.Namespace != "" {
		s = r.Kind + " " + r.Namespace + "/" + r.Name
	}
	if r.Field != "" {
		s += " " + r.Field
	}
	return s
}

// Compare orders by kind, namespace, name, field.
func (r Ref) Compare(s Ref) int {
	return cmp.Or(cmp.Compare(r.Kind, s.Kind), cmp.Compare(r.Namespace, s.Namespace), cmp.Compare(r.Name, s.Name), cmp.Compare(r.Field, s.Field))
}
