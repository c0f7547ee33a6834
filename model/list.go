package model

import (
	"encoding/json"
	"iter"
	"slices"
)

// List is a sequence that cannot be written after it was made. The zero value is empty.
type List[T any] struct{ items []T }

// ListOf copies items into a List, in the given order.
func ListOf[T any](items ...T) List[T] { return List[T]{items: slices.Clone(items)} }

// All iterates over index and item, in order.
func (l List[T]) All() iter.Seq2[int, T] { return slices.All(l.items) }

// Values iterates over the items, in order.
func (l List[T]) Values() iter.Seq[T] { return slices.Values(l.items) }

// At is the item at index i; it panics when i is out of range.
func (l List[T]) At(i int) T { return l.items[i] }

// Len is the number of items.
func (l List[T]) Len() int { return len(l.items) }

// MarshalJSON writes the items as an array; an empty List is [].
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l.items == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(l.items)
}

// IsZero says whether the list is empty, for `omitzero` in JSON tags.
func (l List[T]) IsZero() bool { return len(l.items) == 0 }

// Equal compares two lists of comparable items, in order.
func Equal[T comparable](a, b List[T]) bool { return slices.Equal(a.items, b.items) }

// Contains says whether the list holds the item.
func Contains[T comparable](l List[T], item T) bool { return slices.Contains(l.items, item) }
