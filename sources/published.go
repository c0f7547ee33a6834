package sources

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/flomesh-io/fsmc/model"
)

// publish indexes the endpoints that were written by the service that they are of.
func publish(objects Objects) published {
	p := published{slices: map[model.ServiceID][]*discoveryv1.EndpointSlice{}, older: map[model.ServiceID]*corev1.Endpoints{}}
	for _, o := range inOrder(objects.EndpointSlices) {
		id := model.ServiceID{Namespace: o.Namespace, Name: o.Labels[discoveryv1.LabelServiceName]}
		p.slices[id] = append(p.slices[id], o)
	}
	for _, o := range objects.Endpoints {
		p.older[model.ServiceID{Namespace: o.Namespace, Name: o.Name}] = o
	}
	return p
}

// published are the endpoints that were written. EndpointSlices count; the older Endpoints do where there are none.
type published struct {
	slices map[model.ServiceID][]*discoveryv1.EndpointSlice
	older  map[model.ServiceID]*corev1.Endpoints
}

// has says whether anything was written of the service's endpoints.
func (p published) has(id model.ServiceID) bool { return len(p.slices[id]) > 0 || p.older[id] != nil }

// endpoint is an address that is published for the port of that name.
type endpoint struct {
	address netip.AddrPort
	port    string
	// host is the name that the endpoint has below that of its service; empty for most.
	host string
	zone string
	// ready endpoints get traffic, draining ones (terminating, and still serving) when no other is ready.
	ready, draining bool
	// pod is what is at the address; nil when that is not known.
	pod *pod
	// ambiguous says that several pods are at the address and that the endpoint cannot be told to be one of them.
	ambiguous bool
}

// endpoints are all endpoints of a service, ready or not.
func (p published) endpoints(s *corev1.Service, pods pods) ([]endpoint, []model.Diagnostic) {
	var places []place
	var diagnostics []model.Diagnostic
	for _, slice := range p.slices[serviceID(s)] {
		more, refused := slicePlaces(slice)
		places, diagnostics = append(places, more...), append(diagnostics, refused...)
	}
	if older := p.older[serviceID(s)]; older != nil && len(p.slices[serviceID(s)]) == 0 {
		places = endpointsPlaces(older)
	}
	var found []endpoint
	for _, place := range places {
		place.ready = place.ready || s.Spec.PublishNotReadyAddresses
		more, refused := place.endpoints(pods)
		found, diagnostics = append(found, more...), append(diagnostics, refused...)
	}
	return found, diagnostics
}

// place is one address as it was written, with its ports.
type place struct {
	address string
	// field is where the address stands, below at.
	field string
	// family is the type of addresses that the slice holds; empty for both.
	family          discoveryv1.AddressType
	host, zone      string
	ready, draining bool
	target          *corev1.ObjectReference
	ports           []placePort
	at              model.Ref
}

type placePort struct {
	name   string
	number int32
}

// slicePlaces reads an EndpointSlice. Of an endpoint's addresses only the first has a meaning in Kubernetes. A missing
// condition reads as kube-proxy reads it: ready, serving, not terminating.
func slicePlaces(o *discoveryv1.EndpointSlice) ([]place, []model.Diagnostic) {
	at := refTo("EndpointSlice", o)
	if o.AddressType != discoveryv1.AddressTypeIPv4 && o.AddressType != discoveryv1.AddressTypeIPv6 {
		return nil, []model.Diagnostic{model.Note(model.InvalidAddress, at.At("addressType"),
			fmt.Sprintf("EndpointSlice %s/%s holds addresses of type %q, which are no IP addresses", o.Namespace, o.Name, o.AddressType)).
			Did("its endpoints are left out")}
	}
	var ports []placePort
	for _, p := range o.Ports {
		if p.Port != nil && isTCP(value(p.Protocol)) {
			ports = append(ports, placePort{value(p.Name), *p.Port})
		}
	}
	var places []place
	for i, e := range o.Endpoints {
		if len(e.Addresses) == 0 {
			continue
		}
		places = append(places, place{
			address: e.Addresses[0], field: ".addresses[0]", family: o.AddressType, host: value(e.Hostname), zone: value(e.Zone),
			ready:    e.Conditions.Ready == nil || *e.Conditions.Ready,
			draining: (e.Conditions.Serving == nil || *e.Conditions.Serving) && isTrue(e.Conditions.Terminating),
			target:   e.TargetRef, ports: ports, at: at.At(fmt.Sprintf("endpoints[%d]", i)),
		})
	}
	return places, nil
}

// endpointsPlaces reads an Endpoints object.
func endpointsPlaces(o *corev1.Endpoints) []place {
	var places []place
	for i, subset := range o.Subsets {
		var ports []placePort
		for _, p := range subset.Ports {
			if isTCP(p.Protocol) {
				ports = append(ports, placePort{p.Name, p.Port})
			}
		}
		add := func(field string, addresses []corev1.EndpointAddress, ready bool) {
			for j, a := range addresses {
				places = append(places, place{
					address: a.IP, field: ".ip", host: a.Hostname, ready: ready, target: a.TargetRef, ports: ports,
					at: refTo("Endpoints", o).At(fmt.Sprintf("subsets[%d].%s[%d]", i, field, j)),
				})
			}
		}
		add("addresses", subset.Addresses, true)
		add("notReadyAddresses", subset.NotReadyAddresses, false)
	}
	return places
}

// endpoints are one for each port of the place.
func (p place) endpoints(pods pods) ([]endpoint, []model.Diagnostic) {
	refuse := func(code model.Code, field, why, did string) model.Diagnostic {
		return model.Note(code, p.at.At(p.at.Field+field), why).Did(did)
	}
	address, err := parseAddress(p.address)
	if err == nil && p.family != "" && address.Is4() != (p.family == discoveryv1.AddressTypeIPv4) {
		err = fmt.Errorf("%s is not of the type that its EndpointSlice says, %s", p.address, p.family)
	}
	if err != nil {
		return nil, []model.Diagnostic{refuse(model.InvalidAddress, p.field, err.Error(), "the endpoint is left out")}
	}
	var found []endpoint
	var diagnostics []model.Diagnostic
	if p.host != "" && len(validation.IsDNS1123Label(p.host)) > 0 {
		diagnostics = append(diagnostics, refuse(model.InvalidAddress, ".hostname", fmt.Sprintf("%q cannot be a host name", p.host),
			"the endpoint has no name of its own"))
		p.host = ""
	}
	pod, ambiguous := pods.behind(address, p.target, p.at.Namespace)
	for _, q := range p.ports {
		if !isPort(q.number) {
			diagnostics = append(diagnostics, refuse(model.InvalidPort, "", fmt.Sprintf("port %d is not between 1 and 65535", q.number), "the endpoint is left out"))
			continue
		}
		found = append(found, endpoint{
			address: netip.AddrPortFrom(address, uint16(q.number)), port: q.name, host: p.host, zone: p.zone,
			ready: p.ready, draining: p.draining, pod: pod, ambiguous: ambiguous,
		})
	}
	return found, diagnostics
}

// behind is the pod at an address: the one that the endpoint names, unless the address is known to be only others', and
// else the only one that has the address. Pods of a host's network share its address: what is there cannot be told.
func (p pods) behind(address netip.Addr, target *corev1.ObjectReference, namespace string) (found *pod, ambiguous bool) {
	there := p.byAddress[address]
	if target != nil && target.Kind == "Pod" {
		named := p.byID[model.ProxyID{Namespace: cmp.Or(target.Namespace, namespace), Name: target.Name}]
		if named != nil && (len(there) == 0 || slices.Contains(there, named)) {
			return named, false
		}
	}
	if len(there) == 1 {
		return there[0], false
	}
	return nil, len(there) > 1
}

// besideSidecar says whether the address is that of a pod with a sidecar that the endpoint is not: whatever the
// endpoint is, plaintext must not be sent there.
func (p pods) besideSidecar(e endpoint) bool {
	return (e.pod == nil || !e.pod.sidecar) && slices.ContainsFunc(p.byAddress[e.address.Addr()], func(q *pod) bool { return q.sidecar })
}

// value is what the pointer points at; zero when nowhere.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
