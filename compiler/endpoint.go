package compiler

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/flomesh-io/fsmc/model"
)

// assignmentSpec is the endpoints of a cluster.
type assignmentSpec struct {
	Cluster   string
	Endpoints []endpointSpec
	From      []model.Ref
}

type endpointSpec struct {
	Address   string
	Port      uint16
	Plaintext bool
}

func (s assignmentSpec) resourceName() string    { return s.Cluster }
func (s assignmentSpec) provenance() []model.Ref { return s.From }

func buildAssignment(s assignmentSpec) []byte {
	assignment := &endpointv3.ClusterLoadAssignment{ClusterName: s.Cluster}
	if len(s.Endpoints) == 0 {
		return marshal(assignment)
	}
	locality := &endpointv3.LocalityLbEndpoints{Locality: &corev3.Locality{Zone: "local"}}
	for _, e := range s.Endpoints {
		endpoint := lbEndpoint(e.Address, e.Port)
		if e.Plaintext {
			endpoint.Metadata = &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{
				"envoy.transport_socket_match": plaintextMark(),
			}}
		}
		locality.LbEndpoints = append(locality.LbEndpoints, endpoint)
	}
	assignment.Endpoints = []*endpointv3.LocalityLbEndpoints{locality}
	return marshal(assignment)
}

func lbEndpoint(address string, port uint16) *endpointv3.LbEndpoint {
	return &endpointv3.LbEndpoint{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{
		Endpoint: &endpointv3.Endpoint{Address: socketAddress(address, port)},
	}}
}

func socketAddress(address string, port uint16) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       address,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}
