package main

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/sources"
)

// network is what a cluster does for services that knows nothing of a mesh: kube-proxy's virtual addresses and the names
// in DNS.
type network struct {
	objects sources.Objects
	slices  map[model.ServiceID][]*discoveryv1.EndpointSlice
}

func networkOf(objects sources.Objects) network {
	n := network{objects: objects, slices: map[model.ServiceID][]*discoveryv1.EndpointSlice{}}
	for _, s := range objects.EndpointSlices {
		id := model.ServiceID{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}
		n.slices[id] = append(n.slices[id], s)
	}
	return n
}

// spot is a ready endpoint of a service port.
type spot struct {
	address netip.AddrPort
	port    corev1.ServicePort
	// host is its name below the service's; empty for most.
	host string
}

// spots are the ready TCP endpoints of a service, in order.
func (n network) spots(s *corev1.Service) []spot {
	var all []spot
	add := func(address, host, portName string, number int32) {
		at, err := netip.ParseAddr(address)
		i := slices.IndexFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == portName && isTCP(p.Protocol) })
		if err == nil && i >= 0 {
			all = append(all, spot{netip.AddrPortFrom(at.Unmap(), uint16(number)), s.Spec.Ports[i], host})
		}
	}
	published := n.slices[model.ServiceID{Namespace: s.Namespace, Name: s.Name}]
	for _, slice := range published {
		for _, e := range slice.Endpoints {
			if len(e.Addresses) == 0 || e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			for _, p := range slice.Ports {
				if p.Port != nil {
					add(e.Addresses[0], orZero(e.Hostname), orZero(p.Name), *p.Port)
				}
			}
		}
	}
	if len(published) == 0 {
		n.older(s, add)
	}
	slices.SortFunc(all, func(a, b spot) int {
		return cmp.Or(a.address.Compare(b.address), cmp.Compare(a.port.Port, b.port.Port), cmp.Compare(a.host, b.host))
	})
	return slices.Compact(all)
}

// older adds what the Endpoints object of a service without slices says.
func (n network) older(s *corev1.Service, add func(address, host, portName string, number int32)) {
	for _, o := range n.objects.Endpoints {
		if o.Namespace != s.Namespace || o.Name != s.Name {
			continue
		}
		for _, subset := range o.Subsets {
			for _, a := range subset.Addresses {
				for _, p := range subset.Ports {
					add(a.IP, a.Hostname, p.Name, p.Port)
				}
			}
		}
	}
}

// virtual are the cluster IPs of all services, with what is behind them.
func (n network) virtual() []local.Virtual {
	var all []local.Virtual
	for _, s := range n.objects.Services {
		spots := n.spots(s)
		for _, address := range clusterIPs(s) {
			for _, port := range s.Spec.Ports {
				if !isTCP(port.Protocol) {
					continue
				}
				v := local.Virtual{Address: netip.AddrPortFrom(address, uint16(port.Port))}
				for _, spot := range spots {
					if spot.port.Port == port.Port && spot.address.Addr().Is4() == address.Is4() {
						v.Endpoints = append(v.Endpoints, spot.address)
					}
				}
				all = append(all, v)
			}
		}
	}
	slices.SortFunc(all, func(a, b local.Virtual) int { return a.Address.Compare(b.Address) })
	return all
}

// names are the DNS names of all services but aliases, which lead out of the mesh.
func (n network) names() []local.Name {
	var all []local.Name
	for _, s := range n.objects.Services {
		if s.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		domain := s.Name + "." + s.Namespace + ".svc." + sources.ClusterDomain
		whole, hosts := clusterIPs(s), map[string][]netip.Addr{}
		for _, spot := range n.spots(s) {
			if s.Spec.ClusterIP == corev1.ClusterIPNone {
				whole = append(whole, spot.address.Addr())
			}
			if spot.host != "" {
				hosts[spot.host] = append(hosts[spot.host], spot.address.Addr())
			}
		}
		all = append(all, local.Name{Name: domain, Addresses: distinct(whole)})
		for host, addresses := range hosts {
			all = append(all, local.Name{Name: host + "." + domain, Addresses: distinct(addresses)})
		}
	}
	slices.SortFunc(all, func(a, b local.Name) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// clusterIPs are the virtual addresses of a service.
func clusterIPs(s *corev1.Service) []netip.Addr {
	var addresses []netip.Addr
	for _, text := range append([]string{s.Spec.ClusterIP}, s.Spec.ClusterIPs...) {
		if address, err := netip.ParseAddr(text); err == nil {
			addresses = append(addresses, address.Unmap())
		}
	}
	return distinct(addresses)
}

func distinct(addresses []netip.Addr) []netip.Addr {
	slices.SortFunc(addresses, netip.Addr.Compare)
	return slices.Compact(addresses)
}

func isTCP(p corev1.Protocol) bool { return p == "" || p == corev1.ProtocolTCP }

func orZero[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}
