package compiler

import (
	"bytes"
	"fmt"
	"testing"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	networkinputsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/matching/common_inputs/network/v3"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// Matchers are written as a deterministic marshaller writes the messages.
func TestMatchersAreMarshalled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var spec matcherSpec
		m := &memo{built: newBuilt(), owner: &owner{}}
		byPort := map[string]*xdsmatcherv3.Matcher_OnMatch{}
		for _, port := range rapid.SliceOfDistinct(rapid.Uint16(), rapid.ID).Draw(t, "ports") {
			var list destinationsSpec
			byAddress := map[string]*xdsmatcherv3.Matcher_OnMatch{}
			for _, n := range rapid.SliceOfDistinct(rapid.Uint16(), rapid.ID).Draw(t, "addresses") {
				d := destinationMatch{fmt.Sprintf("10.0.0.%d", n), "chain" + pick(t, "chain", []string{"", "a", "b"})}
				list.Destinations = append(list.Destinations, d)
				byAddress[d.Address] = toChain(d.Chain)
			}
			spec.Ports = append(spec.Ports, portMatch{port, partOf(m, list, buildDestinations)})
			byPort[fmt.Sprint(port)] = &xdsmatcherv3.Matcher_OnMatch{OnMatch: &xdsmatcherv3.Matcher_OnMatch_Matcher{
				Matcher: lookup("destination-ip", &networkinputsv3.DestinationIPInput{}, byAddress),
			}}
		}
		want := marshal(lookup("destination-port", &networkinputsv3.DestinationPortInput{}, byPort))
		if got := buildMatcher(spec); !bytes.Equal(want, got) {
			t.Errorf("for %+v\nwant %x\n got %x", spec, want, got)
		}
	})
}

// lookup is a matcher that looks one input up in a map.
func lookup(name string, input proto.Message, values map[string]*xdsmatcherv3.Matcher_OnMatch) *xdsmatcherv3.Matcher {
	return &xdsmatcherv3.Matcher{MatcherType: &xdsmatcherv3.Matcher_MatcherTree_{MatcherTree: &xdsmatcherv3.Matcher_MatcherTree{
		Input: &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: packed(input)},
		TreeType: &xdsmatcherv3.Matcher_MatcherTree_ExactMatchMap{
			ExactMatchMap: &xdsmatcherv3.Matcher_MatcherTree_MatchMap{Map: values},
		},
	}}}
}
