package compiler

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A trie holds what a map holds that was edited alike, whatever hashes collide, and its copies stay as they were.
func TestTrieIsAMap(t *testing.T) {
	for name, hash := range map[string]func(uint16) uint64{
		"good":         func(k uint16) uint64 { return hashOf(uint64(k)) },
		"all the same": func(uint16) uint64 { return 7 },
		"late":         func(k uint16) uint64 { return uint64(k%3) << 62 },
		"the low bits": func(k uint16) uint64 { return uint64(k % 5) },
	} {
		t.Run(name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { checkTrie(t, hash) }) })
	}
}

func checkTrie(t *rapid.T, hash func(uint16) uint64) {
	now, want := newTrie[uint16, int](hash), map[uint16]int{}
	copies, wanted := []trie[uint16, int]{now}, []map[uint16]int{{}}
	for range rapid.IntRange(0, 6).Draw(t, "rounds") {
		o := &owner{}
		for range rapid.IntRange(0, 30).Draw(t, "edits") {
			key := rapid.Uint16Range(0, 20).Draw(t, "key")
			if chance(t, "put") {
				value := rapid.Int().Draw(t, "value")
				now.put(o, key, value)
				want[key] = value
			} else {
				now.drop(o, key)
				delete(want, key)
			}
		}
		copies, wanted = append(copies, now), append(wanted, maps.Clone(want))
	}
	for i := range copies {
		if diff := cmp.Diff(wanted[i], contentOf(t, copies[i])); diff != "" {
			t.Fatalf("copy %d of %d (-map +trie):\n%s", i, len(copies), diff)
		}
	}
}

func contentOf(t *rapid.T, from trie[uint16, int]) map[uint16]int {
	all := map[uint16]int{}
	from.each(func(key uint16, value int) {
		if _, twice := all[key]; twice {
			t.Errorf("key %d is there twice", key)
		}
		all[key] = value
	})
	if len(all) != from.size {
		t.Errorf("%d keys, and the size is %d", len(all), from.size)
	}
	for key := range uint16(22) {
		value, ok := from.get(key)
		if known, there := all[key]; ok != there || value != known {
			t.Errorf("key %d is %d, %t", key, value, ok)
		}
	}
	return all
}

// The form of a trie does not depend on how it came about: what came and went leaves nothing behind.
func TestTrieForgets(t *testing.T) {
	hash := func(k int) uint64 { return hashOf(uint64(k)) }
	was := newTrie[int, int](hash)
	for i := range 100 {
		was.put(&owner{}, i, i)
	}
	branches := branchesOf(was.root)
	for i := 100; i < 10_000; i++ {
		was.put(&owner{}, i, i)
	}
	for i := 100; i < 10_000; i++ {
		was.drop(&owner{}, i)
	}
	if now := branchesOf(was.root); now != branches {
		t.Errorf("%d branches became %d", branches, now)
	}
}

func branchesOf(b *branch[int, int]) int {
	n := 1
	for _, s := range b.twigs {
		if s.branch != nil {
			n += branchesOf(s.branch)
		}
	}
	return n
}
