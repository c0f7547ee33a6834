package sources

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// servicesInput is everything that says who serves what.
type servicesInput struct {
	services   []*corev1.Service
	selection  *selection[*pod]
	published  *published
	pods       *pods
	namespaces []namespace
}

// servicesFound are the services of the mesh, by name.
type servicesFound struct {
	all   []*service
	notes []model.Diagnostic

	located map[model.ServiceID]locatedPlaces
	stages  family[model.ServiceID, serviceInput, readService]
}

// resolveServices finds the services of the mesh with the pods that they select and the endpoints that are published
// for them.
func resolveServices(in servicesInput, before *servicesFound) *servicesFound {
	if before == nil {
		before = &servicesFound{}
	}
	n := len(in.services)
	found := &servicesFound{
		located: make(map[model.ServiceID]locatedPlaces, n),
		stages:  make(family[model.ServiceID, serviceInput, readService], n),
	}
	meshed := map[string]bool{}
	for _, ns := range in.namespaces {
		meshed[ns.name] = ns.outside == ""
	}
	for _, o := range inOrder(in.services) {
		if !meshed[o.Namespace] {
			continue
		}
		id := serviceID(o)
		written := in.published.of(id)
		found.located[id] = locate(written, in.pods, before.located[id])
		read := found.stages.again(before.stages, id, serviceInput{
			object:    o,
			pods:      in.selection.of[id],
			published: written,
			located:   found.located[id].all,
		}, resolveService)
		found.all = append(found.all, read.service)
		found.notes = append(found.notes, read.notes...)
	}
	return found
}

// service is a Service of the mesh.
type service struct {
	object    *corev1.Service
	id        model.ServiceID
	addresses []netip.Addr
	// ports are those that the mesh carries.
	ports []port
	// pods are those that the selector matches, ready or not, by name.
	pods []*pod
	// endpoints are those that are published, ready or not.
	endpoints []endpoint
}

// serviceInput is all that a service is made of.
type serviceInput struct {
	object    *corev1.Service
	pods      []*pod
	published []*places
	located   []located
}

// readService is a service and what is found about it.
type readService struct {
	service *service
	notes   []model.Diagnostic
}

func resolveService(in serviceInput, _ readService) readService {
	o := in.object
	s := &service{object: o, id: serviceID(o)}
	if isExternalName(o) {
		return readService{s, []model.Diagnostic{model.Note(model.ExternalNameService, refTo("Service", o).At("spec.externalName"),
			fmt.Sprintf("service %s is an alias for %s", s.id, o.Spec.ExternalName)).Did("the mesh does not route it")}}
	}
	s.pods = in.pods
	var notes []model.Diagnostic
	for _, p := range in.published {
		notes = append(notes, p.notes...)
	}
	addresses, addressDiagnostics := clusterIPs(o)
	endpoints, endpointDiagnostics := endpointsAt(o, in.located)
	ports, portDiagnostics := carriedPorts(o)
	s.addresses, s.endpoints = addresses, endpoints
	s.ports, endpointDiagnostics = withoutSidecarPorts(s, ports, endpointDiagnostics)
	return readService{s, slices.Concat(notes, addressDiagnostics, endpointDiagnostics, portDiagnostics, unnamedTargets(s))}
}

func isExternalName(o *corev1.Service) bool { return o.Spec.Type == corev1.ServiceTypeExternalName }

// isHeadless says whether clients call the endpoints of the service by their own addresses.
func isHeadless(o *corev1.Service) bool { return o.Spec.ClusterIP == corev1.ClusterIPNone }

// clusterIPs are the addresses of a service, IPv4 first.
func clusterIPs(o *corev1.Service) ([]netip.Addr, []model.Diagnostic) {
	var addresses []netip.Addr
	var diagnostics []model.Diagnostic
	for _, text := range slices.Concat([]string{o.Spec.ClusterIP}, o.Spec.ClusterIPs) {
		if text == "" || text == corev1.ClusterIPNone {
			continue
		}
		address, err := parseAddress(text)
		if err != nil {
			diagnostics = append(diagnostics, model.Note(model.InvalidAddress, refTo("Service", o).At("spec.clusterIP"), err.Error()).
				Did("the service is not reached there"))
			continue
		}
		addresses = append(addresses, address)
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return slices.Compact(addresses), diagnostics
}

// servicePort is the unit of routing that the port is.
func (s *service) servicePort(p port) model.ServicePort {
	return model.ServicePort{Service: s.id, Port: p.number()}
}
