package compiler

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/model"
)

// memo builds each distinct spec once. It is the only way to a resource, so that the key of the cache is the whole
// input of the builder by construction. What was built for a previous output is there for the next.
type memo struct {
	built
	owner    *owner
	counters Counters
	scratch  []byte
}

// built is what a memo knows, by the hash of the keys of its specs.
type built struct {
	parts     trie[specSum, *part]
	resources trie[specSum, *Resource]
	// kept is how many there were when it was last swept, rounds how many compilations have built something since.
	kept, rounds int
}

// specSum is the SHA-256 of the key of a spec. The keys themselves would take as much memory as what is made of them.
type specSum [sha256.Size]byte

func (s specSum) hash() uint64 { return binary.LittleEndian.Uint64(s[:]) }

func newBuilt() built {
	return built{parts: newTrie[specSum, *part](specSum.hash), resources: newTrie[specSum, *Resource](specSum.hash)}
}

func (b *built) size() int { return b.parts.size + b.resources.size }

// part is a message that other messages contain, marshalled once: a virtual host, a filter chain.
type part struct {
	bytes []byte
	// hash is the SHA-256 of bytes, as a string of 32 bytes.
	hash string
	// uses are the clusters that the part sends traffic to, in order and each once.
	uses []string

	sum   specSum
	parts []*part
}

// sumOf is the hash of the key of a spec.
func (m *memo) sumOf(spec any) specSum {
	m.scratch = appendSpec(m.scratch[:0], spec)
	return sha256.Sum256(m.scratch)
}

// partOf builds a part of its spec, or returns the one that an equal spec has made.
func partOf[S any](m *memo, spec S, build func(S) []byte) *part {
	m.counters.Specs++
	key := m.sumOf(spec)
	if p, ok := m.parts.get(key); ok {
		return p
	}
	m.counters.Builds++
	b := build(spec)
	sum := sha256.Sum256(b)
	p := &part{bytes: b, hash: string(sum[:]), uses: usesOf(spec), sum: key, parts: partsOf(spec)}
	m.parts.put(m.owner, key, p)
	return p
}

// named is what every spec of a resource is: it knows the name and the provenance of what is made of it.
type named interface {
	resourceName() string
	provenance() []model.Ref
}

// composed is a spec of what is put together from parts.
type composed interface{ made() []*part }

func partsOf(spec any) []*part {
	if c, ok := spec.(composed); ok {
		return c.made()
	}
	return nil
}

// resourceOf builds a resource of its spec, or returns the one that an equal spec has made. build returns the
// deterministic wire form of a message of the given type.
func resourceOf[S named](m *memo, typeURL string, spec S, build func(S) []byte) *Resource {
	m.counters.Specs++
	key := m.sumOf(spec)
	if r, ok := m.resources.get(key); ok {
		return r
	}
	m.counters.Builds++
	b := build(spec)
	m.counters.Bytes += len(b)
	sum := sha256.Sum256(b)
	r := &Resource{
		Type: typeURL, Name: spec.resourceName(), Version: hex.EncodeToString(sum[:]), Bytes: b,
		From: model.ListOf(spec.provenance()...), Uses: model.ListOf(usesOf(spec)...), sum: key,
		parts: partsOf(spec),
	}
	m.resources.put(m.owner, key, r)
	return r
}

// sweep forgets what is in none of the living resources, when that may be a third of everything, and in any case now and
// then. It costs little more than building did, however many editions there are of a mesh.
func (m *memo) sweep(living func(visit func(*Resource))) {
	const few = 64
	if m.counters.Specs > 0 {
		m.rounds++
	}
	if m.size() <= m.kept+m.kept/2+few && m.rounds <= m.kept/8+few {
		return
	}
	next := newBuilt()
	living(func(r *Resource) {
		next.resources.put(m.owner, r.sum, r)
		next.keep(m.owner, r.parts)
	})
	next.kept = next.size()
	m.built = next
}

func (b *built) keep(o *owner, parts []*part) {
	for _, p := range parts {
		if _, kept := b.parts.get(p.sum); !kept {
			b.parts.put(o, p.sum, p)
			b.keep(o, p.parts)
		}
	}
}

// marshal is the deterministic wire form of a message. A message that cannot be marshalled is a bug in this program.
func marshal(message proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		panic("compiler: " + err.Error())
	}
	return b
}
