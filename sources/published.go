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
func publish(in publishedLists, before *published) *published {
	p := &published{
		slices: map[model.ServiceID][]*places{}, older: map[model.ServiceID]*places{},
		ofSlice: map[*discoveryv1.EndpointSlice]*places{}, ofOlder: map[*corev1.Endpoints]*places{},
	}
	if before == nil {
		before = &published{}
	}
	for _, o := range inOrder(in.slices) {
		p.slices[sliceOf(o)] = append(p.slices[sliceOf(o)], reused(p.ofSlice, before.ofSlice, o, slicePlaces))
	}
	for _, o := range in.endpoints {
		p.older[model.ServiceID{Namespace: o.Namespace, Name: o.Name}] = reused(p.ofOlder, before.ofOlder, o, endpointsPlaces)
	}
	return p
}

// published are the endpoints that were written. EndpointSlices count; the older Endpoints do where there are none.
type published struct {
	slices map[model.ServiceID][]*places
	older  map[model.ServiceID]*places

	ofSlice map[*discoveryv1.EndpointSlice]*places
	ofOlder map[*corev1.Endpoints]*places
}

// places are the addresses of one object, and what is found about it.
type places struct {
	all   []*place
	notes []model.Diagnostic
}

// sliceOf is the service that a slice belongs to.
func sliceOf(o *discoveryv1.EndpointSlice) model.ServiceID {
	return model.ServiceID{Namespace: o.Namespace, Name: o.Labels[discoveryv1.LabelServiceName]}
}

// of are the places of a service's endpoints.
func (p *published) of(id model.ServiceID) []*places {
	if written := p.slices[id]; len(written) > 0 {
		return written
	}
	if older := p.older[id]; older != nil {
		return []*places{older}
	}
	return nil
}

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
	// guarded says that a pod with a sidecar has the address.
	guarded bool
}

// besideSidecar says whether the address is that of a pod with a sidecar that the endpoint is not: whatever the
// endpoint is, plaintext must not be sent there.
func (e endpoint) besideSidecar() bool { return e.guarded && (e.pod == nil || !e.pod.sidecar) }

// located is a place and what is known to be there.
type located struct {
	place *place
	// pod, ambiguous and guarded are those of the endpoints there.
	pod                *pod
	ambiguous, guarded bool
}

// locatedPlaces are places with what is there, and the index that the pods were found in.
type locatedPlaces struct {
	published []*places
	in        *generation
	all       []located
}

// locate finds the pods that are at places. Those of before are taken if they are the same places, and neither a name nor an
// address of theirs has other pods since.
func locate(published []*places, pods *pods, before locatedPlaces) locatedPlaces {
	l := locatedPlaces{published, pods.generation, before.all}
	same := before.in != nil && slices.Equal(before.published, published)
	if same && (before.in == pods.generation || before.in == pods.changed.from && !pods.changed.concern(published)) {
		return l
	}
	l.all = nil
	for _, p := range published {
		for _, place := range p.all {
			l.all = append(l.all, place.locate(pods))
		}
	}
	return l
}

func (p *place) locate(pods *pods) located {
	l := located{place: p}
	if p.err == nil {
		l.pod, l.ambiguous = pods.behind(p.parsed, p.targetID())
		l.guarded = slices.ContainsFunc(pods.byAddress.get(p.parsed), func(q *pod) bool { return q.sidecar })
	}
	return l
}

// concern says whether a place may have other pods since.
func (c podChanges) concern(published []*places) bool {
	return slices.ContainsFunc(published, func(p *places) bool {
		return slices.ContainsFunc(p.all, func(place *place) bool {
			if _, ok := c.addresses[place.parsed]; ok {
				return true
			}
			_, ok := c.ids[place.targetID()]
			return ok
		})
	})
}

// targetID is the pod that the place names; zero if it names none.
func (p *place) targetID() model.ProxyID {
	if p.target == nil || p.target.Kind != "Pod" {
		return model.ProxyID{}
	}
	return model.ProxyID{Namespace: cmp.Or(p.target.Namespace, p.at.Namespace), Name: p.target.Name}
}

// endpointsAt are all endpoints of a service, ready or not.
func endpointsAt(s *corev1.Service, located []located) ([]endpoint, []model.Diagnostic) {
	var found []endpoint
	var diagnostics []model.Diagnostic
	for _, l := range located {
		more, refused := l.endpoints(s)
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
	// parsed is the address; err says why it cannot be used.
	parsed netip.Addr
	err    error
}

// read is the place with its address as it can be used.
func (p place) read() *place {
	p.parsed, p.err = parseAddress(p.address)
	if p.err == nil && p.family != "" && p.parsed.Is4() != (p.family == discoveryv1.AddressTypeIPv4) {
		p.err = fmt.Errorf("%s is not of the type that its EndpointSlice says, %s", p.address, p.family)
	}
	return &p
}

type placePort struct {
	name   string
	number int32
}

// slicePlaces reads an EndpointSlice. Of an endpoint's addresses only the first has a meaning in Kubernetes. A missing
// condition reads as kube-proxy reads it: ready, serving, not terminating.
func slicePlaces(o *discoveryv1.EndpointSlice) *places {
	at := refTo("EndpointSlice", o)
	if o.AddressType != discoveryv1.AddressTypeIPv4 && o.AddressType != discoveryv1.AddressTypeIPv6 {
		return &places{notes: []model.Diagnostic{model.Note(model.InvalidAddress, at.At("addressType"),
			fmt.Sprintf("EndpointSlice %s/%s holds addresses of type %q, which are no IP addresses", o.Namespace, o.Name, o.AddressType)).
			Did("its endpoints are left out")}}
	}
	var ports []placePort
	for _, p := range o.Ports {
		if p.Port != nil && isTCP(value(p.Protocol)) {
			ports = append(ports, placePort{value(p.Name), *p.Port})
		}
	}
	found := &places{}
	for i, e := range o.Endpoints {
		if len(e.Addresses) == 0 {
			continue
		}
		found.all = append(found.all, place{
			address: e.Addresses[0], field: ".addresses[0]", family: o.AddressType, host: value(e.Hostname), zone: value(e.Zone),
			ready:    e.Conditions.Ready == nil || *e.Conditions.Ready,
			draining: (e.Conditions.Serving == nil || *e.Conditions.Serving) && isTrue(e.Conditions.Terminating),
			target:   e.TargetRef, ports: ports, at: at.At(fmt.Sprintf("endpoints[%d]", i)),
		}.read())
	}
	return found
}

// endpointsPlaces reads an Endpoints object.
func endpointsPlaces(o *corev1.Endpoints) *places {
	found := &places{}
	for i, subset := range o.Subsets {
		var ports []placePort
		for _, p := range subset.Ports {
			if isTCP(p.Protocol) {
				ports = append(ports, placePort{p.Name, p.Port})
			}
		}
		add := func(field string, addresses []corev1.EndpointAddress, ready bool) {
			for j, a := range addresses {
				found.all = append(found.all, place{
					address: a.IP, field: ".ip", host: a.Hostname, ready: ready, target: a.TargetRef, ports: ports,
					at: refTo("Endpoints", o).At(fmt.Sprintf("subsets[%d].%s[%d]", i, field, j)),
				}.read())
			}
		}
		add("addresses", subset.Addresses, true)
		add("notReadyAddresses", subset.NotReadyAddresses, false)
	}
	return found
}

// endpoints are one for each port of the place.
func (l located) endpoints(s *corev1.Service) ([]endpoint, []model.Diagnostic) {
	p, host := l.place, l.place.host
	refuse := func(code model.Code, field, why, did string) model.Diagnostic {
		return model.Note(code, p.at.At(p.at.Field+field), why).Did(did)
	}
	if p.err != nil {
		return nil, []model.Diagnostic{refuse(model.InvalidAddress, p.field, p.err.Error(), "the endpoint is left out")}
	}
	var found []endpoint
	var diagnostics []model.Diagnostic
	if host != "" && len(validation.IsDNS1123Label(host)) > 0 {
		diagnostics = append(diagnostics, refuse(model.InvalidAddress, ".hostname", fmt.Sprintf("%q cannot be a host name", host),
			"the endpoint has no name of its own"))
		host = ""
	}
	for _, q := range p.ports {
		if !isPort(q.number) {
			diagnostics = append(diagnostics, refuse(model.InvalidPort, "", fmt.Sprintf("port %d is not between 1 and 65535", q.number), "the endpoint is left out"))
			continue
		}
		found = append(found, endpoint{
			address: netip.AddrPortFrom(p.parsed, uint16(q.number)), port: q.name, host: host, zone: p.zone,
			ready: p.ready || s.Spec.PublishNotReadyAddresses, draining: p.draining, pod: l.pod, ambiguous: l.ambiguous, guarded: l.guarded,
		})
	}
	return found, diagnostics
}

// behind is the pod at an address: the one that the endpoint names, unless the address is known to be only others', and
// else the only one that has the address. Pods of a host's network share its address: what is there cannot be told.
func (p *pods) behind(address netip.Addr, target model.ProxyID) (found *pod, ambiguous bool) {
	there := p.byAddress.get(address)
	if named := p.byID.get(target); named != nil && (len(there) == 0 || slices.Contains(there, named)) {
		return named, false
	}
	if len(there) == 1 {
		return there[0], false
	}
	return nil, len(there) > 1
}

// value is what the pointer points at; zero when nowhere.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
