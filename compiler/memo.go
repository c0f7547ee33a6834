package compiler

import (
	"crypto/sha256"
	"encoding/hex"

	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/model"
)

// memo builds each distinct spec once. It is the only way to a resource, so that the key of the cache is the whole
// input of the builder by construction.
type memo struct {
	parts     map[string]*part
	resources map[string]*Resource
	counters  Counters
}

func newMemo() *memo {
	return &memo{parts: map[string]*part{}, resources: map[string]*Resource{}}
}

// part is a message that other messages contain, marshalled once: a virtual host, a filter chain.
type part struct {
	bytes []byte
	// hash is the SHA-256 of bytes, as a string of 32 bytes.
	hash string
	// uses are the clusters that the part sends traffic to, in order and each once.
	uses []string
}

// partOf builds a part of its spec, or returns the one that an equal spec has made.
func partOf[S any](m *memo, spec S, build func(S) []byte) *part {
	m.counters.Specs++
	key := keyOf(spec)
	if p, ok := m.parts[key]; ok {
		return p
	}
	m.counters.Builds++
	b := build(spec)
	sum := sha256.Sum256(b)
	p := &part{bytes: b, hash: string(sum[:]), uses: usesOf(spec)}
	m.parts[key] = p
	return p
}

// named is what every spec of a resource is: it knows the name and the provenance of what is made of it.
type named interface {
	resourceName() string
	provenance() []model.Ref
}

// resourceOf builds a resource of its spec, or returns the one that an equal spec has made. build returns the
// deterministic wire form of a message of the given type.
func resourceOf[S named](m *memo, typeURL string, spec S, build func(S) []byte) *Resource {
	m.counters.Specs++
	key := keyOf(spec)
	if r, ok := m.resources[key]; ok {
		return r
	}
	m.counters.Builds++
	b := build(spec)
	m.counters.Bytes += len(b)
	sum := sha256.Sum256(b)
	r := &Resource{
		Type: typeURL, Name: spec.resourceName(), Version: hex.EncodeToString(sum[:]), Bytes: b,
		From: model.ListOf(spec.provenance()...), Uses: model.ListOf(usesOf(spec)...),
	}
	m.resources[key] = r
	return r
}

// marshal is the deterministic wire form of a message. A message that cannot be marshalled is a bug in this program.
func marshal(message proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		panic("compiler: " + err.Error())
	}
	return b
}
