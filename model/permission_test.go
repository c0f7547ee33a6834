package model

import (
	"encoding/json"
	"testing"
)

// The zero value of every set is none; all is written out.
func TestSetsOfPorts(t *testing.T) {
	for _, row := range []struct {
		name     string
		set      PortSet
		contains bool // port 80
		none     bool
	}{
		{"zero", PortSet{}, false, true},
		{"an empty list", PortSet{Ports: ListOf[uint16]()}, false, true},
		{"all", AllPorts, true, false},
		{"all beside some", PortSet{All: true, Ports: ListOf[uint16](81)}, true, false},
		{"this one", PortSet{Ports: ListOf[uint16](79, 80)}, true, false},
		{"others", PortSet{Ports: ListOf[uint16](79, 81)}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.set.Contains(80); got != row.contains {
				t.Errorf("contains 80: %t", got)
			}
			if got := row.set.IsZero(); got != row.none {
				t.Errorf("is no port: %t", got)
			}
		})
	}
}

func TestSetsOfRequests(t *testing.T) {
	some := Match{Path: "/a", Methods: ListOf("GET")}
	for _, row := range []struct {
		name string
		set  Requests
		none bool
	}{
		{"zero", Requests{}, true},
		{"an empty list", Requests{Matches: ListOf[Match]()}, true},
		{"all", AllRequests, false},
		{"all beside none", Requests{All: true, Matches: ListOf(Match{})}, false},
		{"some", Requests{Matches: ListOf(some)}, false},
		{"any method", Requests{Matches: ListOf(Match{Path: "/a", AnyMethod: true})}, false},
		{"a match without a method", Requests{Matches: ListOf(Match{Path: ".*"})}, true},
		{"a match without a path", Requests{Matches: ListOf(Match{AnyMethod: true})}, true},
		{"headers alone", Requests{Matches: ListOf(Match{Headers: ListOf(Header{"a", "b"})})}, true},
		{"some beside none", Requests{Matches: ListOf(Match{}, some)}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.set.IsZero(); got != row.none {
				t.Errorf("is no request: %t", got)
			}
		})
	}
}

// A permission that grants nothing says nothing about what it grants.
func TestGrantsInJSON(t *testing.T) {
	for name, row := range map[string]struct {
		permission Permission
		want       string
	}{
		"nothing": {Permission{}, `{"namespace":"","name":"","destination":{"namespace":"","serviceAccount":""},"sources":[],"from":{}}`},
		"everything": {
			Permission{HTTP: HTTPGrant{AllPorts, AllRequests}, TCP: AllPorts},
			`{"namespace":"","name":"","destination":{"namespace":"","serviceAccount":""},"sources":[],"http":{"ports":{"all":true},"requests":{"all":true}},"tcp":{"all":true},"from":{}}`,
		},
	} {
		if got, err := json.Marshal(row.permission); err != nil || string(got) != row.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestProtocols(t *testing.T) {
	for p, want := range map[Protocol]bool{
		HTTP: true, H2C: true, GRPC: true, TCP: false, TCPServerFirst: false, TLSPassthrough: false, "": false, "HTTP": false,
	} {
		if p.IsHTTP() != want {
			t.Errorf("%q is HTTP: %t", p, p.IsHTTP())
		}
	}
}

func TestPortOfAService(t *testing.T) {
	s := Service{Ports: ListOf(Port{Number: 80, Name: "a"}, Port{Number: 81, Name: "b"})}
	if p, ok := s.Port(81); !ok || p.Name != "b" {
		t.Errorf("port 81 is %+v", p)
	}
	if p, ok := s.Port(82); ok || p.Number != 0 {
		t.Errorf("port 82 is %+v", p)
	}
}
