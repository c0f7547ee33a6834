package model

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A List is what it was made of, whatever becomes of the slice that it was made of or of a slice that is taken from it.
func TestListCannotBeWritten(t *testing.T) {
	source := []string{"a", "b"}
	list := ListOf(source...)
	source[0] = "spoilt"
	taken := slices.Collect(list.Values())
	taken[1] = "spoilt"
	_ = append(taken[:0], "spoilt", "spoilt")
	for i, item := range list.All() {
		if list.At(i) != item {
			t.Errorf("item %d is %s in order and %s by number", i, item, list.At(i))
		}
	}
	if diff := cmp.Diff([]string{"a", "b"}, slices.Collect(list.Values())); diff != "" {
		t.Error(diff)
	}
}

func TestLists(t *testing.T) {
	for _, row := range []struct {
		name string
		list List[string]
		len  int
		json string
	}{
		{"zero", List[string]{}, 0, `[]`},
		{"of nothing", ListOf[string](), 0, `[]`},
		{"of an empty slice", ListOf([]string{}...), 0, `[]`},
		{"of two", ListOf("b", "a"), 2, `["b","a"]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.list.Len() != row.len || row.list.IsZero() != (row.len == 0) {
				t.Errorf("%d items; is zero: %t", row.list.Len(), row.list.IsZero())
			}
			if text, err := json.Marshal(row.list); err != nil || string(text) != row.json {
				t.Errorf("JSON is %s, %v", text, err)
			}
		})
	}
	if !Equal(ListOf(1, 2), ListOf(1, 2)) || Equal(ListOf(1, 2), ListOf(2, 1)) || !Equal(List[int]{}, ListOf[int]()) {
		t.Error("lists are equal when they hold equal items in one order")
	}
	if !Contains(ListOf(1, 2), 2) || Contains(ListOf(1, 2), 3) || Contains(List[int]{}, 0) {
		t.Error("a list contains what is in it")
	}
}

func TestAtOutOfRange(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an item that is not there was given")
		}
	}()
	ListOf(1).At(1)
}
