package compiler

import (
	"cmp"
	"slices"
	"strconv"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	networkinputsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/matching/common_inputs/network/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// matcherSpec chooses a chain by destination port, then by exact destination address. A destination that appears
// changes the matcher alone, which Envoy updates in place without draining a connection.
//
// A client may know the addresses of ten thousands of pods, so that matchers are written as they are marshalled, entry by
// entry: the messages would take ten times as long. What a port leads to is a part of its own.
type matcherSpec struct{ Ports []portMatch }

// portMatch is a port and what its matcher was built to.
type portMatch struct {
	Port         uint16
	Destinations *part
}

// destinationsSpec are the addresses that are known on one port.
type destinationsSpec struct{ Destinations []destinationMatch }

type destinationMatch struct {
	Address string
	Chain   string
}

func (s matcherSpec) made() []*part {
	var parts []*part
	for _, p := range s.Ports {
		parts = append(parts, p.Destinations)
	}
	return parts
}

func buildMatcher(s matcherSpec) []byte {
	entries := make([]matchEntry, 0, len(s.Ports))
	for _, p := range s.Ports {
		entries = append(entries, matchEntry{strconv.Itoa(int(p.Port)), p.Destinations.bytes})
	}
	return appendLookup(nil, "destination-port", &networkinputsv3.DestinationPortInput{}, entries)
}

// buildDestinations is what is done on a match of the port: another matcher.
func buildDestinations(s destinationsSpec) []byte {
	chains := map[string][]byte{} // all the pods of a service lead to one
	entries := make([]matchEntry, 0, len(s.Destinations))
	for _, d := range s.Destinations {
		if chains[d.Chain] == nil {
			chains[d.Chain] = marshal(toChain(d.Chain))
		}
		entries = append(entries, matchEntry{d.Address, chains[d.Chain]})
	}
	matcher := appendLookup(nil, "destination-ip", &networkinputsv3.DestinationIPInput{}, entries)
	return appendField(nil, fieldNumber(&xdsmatcherv3.Matcher_OnMatch{}, "matcher"), matcher)
}

func toChain(name string) *xdsmatcherv3.Matcher_OnMatch {
	return &xdsmatcherv3.Matcher_OnMatch{OnMatch: &xdsmatcherv3.Matcher_OnMatch_Action{
		Action: &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: packed(wrapperspb.String(name))},
	}}
}

// matchEntry is one entry of an exact_match_map: a key, and an OnMatch as it is marshalled.
type matchEntry struct {
	key   string
	value []byte
}

// The fields of an entry of a map, in every message.
const mapKey, mapValue = 1, 2

func (e matchEntry) size() int {
	return protowire.SizeTag(mapKey) + protowire.SizeBytes(len(e.key)) + protowire.SizeTag(mapValue) + protowire.SizeBytes(len(e.value))
}

// appendLookup appends a Matcher that looks one input up in a map. Its bytes are those that a deterministic marshaller
// makes: entries are in order of their keys.
func appendLookup(b []byte, name string, input proto.Message, entries []matchEntry) []byte {
	slices.SortFunc(entries, func(a, b matchEntry) int { return cmp.Compare(a.key, b.key) })
	lookup := &xdsmatcherv3.Matcher_MatcherTree{Input: &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: packed(input)}}
	number := fieldNumber(&xdsmatcherv3.Matcher_MatcherTree_MatchMap{}, "map")
	size := 0
	for _, e := range entries {
		size += protowire.SizeTag(number) + protowire.SizeBytes(e.size())
	}
	all := make([]byte, 0, size)
	for _, e := range entries {
		all = protowire.AppendTag(all, number, protowire.BytesType)
		all = protowire.AppendVarint(all, uint64(e.size()))
		all = protowire.AppendTag(all, mapKey, protowire.BytesType)
		all = protowire.AppendString(all, e.key)
		all = appendField(all, mapValue, e.value)
	}
	tree := appendField(marshal(lookup), fieldNumber(lookup, "exact_match_map"), all)
	return appendField(b, fieldNumber(&xdsmatcherv3.Matcher{}, "matcher_tree"), tree)
}
