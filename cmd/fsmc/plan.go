package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/sources"
)

// planOf is what runs when the objects of a compilation come to life: every pod that has an address, in the mesh or not,
// with an echo server on the ports of its containers and on those that services lead to. Pods that would share an
// address are left out after the first, and named.
func planOf(c compilation) (plan local.Plan, leftOut []string) {
	n := networkOf(c.objects)
	plan = local.Plan{Addresses: n.virtual(), Names: n.names(), Interception: c.Mesh.Settings().Interception}
	served := n.served()
	taken := map[netip.Addr]bool{}
	for _, o := range sortedPods(c.objects.Pods) {
		addresses := podIPs(o)
		if len(addresses) == 0 || o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed {
			continue
		}
		if slices.ContainsFunc(addresses, func(a netip.Addr) bool { return taken[a] }) {
			leftOut = append(leftOut, o.Namespace+"/"+o.Name)
			continue
		}
		for _, address := range addresses {
			taken[address] = true
		}
		plan.Pods = append(plan.Pods, podOf(c, o, addresses, served))
	}
	return plan, leftOut
}

func sortedPods(pods []*corev1.Pod) []*corev1.Pod {
	return slices.SortedFunc(slices.Values(pods), func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

func podOf(c compilation, o *corev1.Pod, addresses []netip.Addr, served map[netip.Addr][]local.Port) local.Pod {
	proxy, meshed := c.Mesh.Proxy(model.ProxyID{Namespace: o.Namespace, Name: o.Name})
	p := local.Pod{
		Namespace: o.Namespace, Name: o.Name, Workload: o.Name, Addresses: addresses, Sidecar: meshed,
		Identity:    model.Identity{Namespace: o.Namespace, ServiceAccount: cmp.Or(o.Spec.ServiceAccountName, "default")},
		Environment: environment(o),
	}
	from := model.Ref{Kind: "Pod", Namespace: o.Namespace, Name: o.Name}
	if owner := metav1.GetControllerOf(o); owner != nil {
		p.Workload = owner.Name
		from = model.Ref{Kind: owner.Kind, Namespace: o.Namespace, Name: owner.Name}
	}
	ports := slices.Concat(containerPorts(o))
	for _, address := range addresses {
		ports = append(ports, served[address]...)
	}
	if meshed {
		p.Identity, from = proxy.Identity, proxy.From
		p.Workload = cmp.Or(proxy.Workload.Name, p.Workload)
		for m := range proxy.Members.Values() {
			ports = append(ports, local.Port{Number: m.Target, Protocol: m.Protocol})
		}
		ports = slices.DeleteFunc(ports, func(p local.Port) bool { return isSidecarPort(p.Number) })
	}
	p.Ports, p.Origin = withoutDoubles(ports), origin(c, from)
	return p
}

// isSidecarPort says whether a port belongs to the sidecar, so that no application can listen on it.
func isSidecarPort(number uint16) bool {
	return number >= 15000 && number <= 15010 || number >= 15901 && number <= 15904
}

// origin is an object and the line it was written on, in words.
func origin(c compilation, from model.Ref) string {
	located := c.read.Positions.Locate([]model.Diagnostic{{At: from.Object()}})
	if at := located[0].Position; at.File != "" {
		return fmt.Sprintf("%s, %s", from.Object(), position(model.Position{File: at.File, Line: at.Line}))
	}
	return from.Object().String()
}

// podIPs are the addresses of a pod, as they are written.
func podIPs(o *corev1.Pod) []netip.Addr {
	texts := []string{o.Status.PodIP}
	for _, ip := range o.Status.PodIPs {
		texts = append(texts, ip.IP)
	}
	var addresses []netip.Addr
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil && !slices.Contains(addresses, address.Unmap()) {
			addresses = append(addresses, address.Unmap())
		}
	}
	return addresses
}

// containerPorts are the TCP ports that the containers of a pod declare.
func containerPorts(o *corev1.Pod) []local.Port {
	var ports []local.Port
	for _, container := range o.Spec.Containers {
		for _, p := range container.Ports {
			if isTCP(p.Protocol) && p.ContainerPort > 0 && p.ContainerPort < 1<<16 {
				ports = append(ports, local.Port{Number: uint16(p.ContainerPort), Protocol: sources.ProtocolOf(corev1.ServicePort{Name: p.Name})})
			}
		}
	}
	return ports
}

// served are the ports that services lead to, by the address of the pod.
func (n network) served() map[netip.Addr][]local.Port {
	ports := map[netip.Addr][]local.Port{}
	for _, s := range n.objects.Services {
		for _, spot := range n.spots(s) {
			address := spot.address.Addr()
			ports[address] = append(ports[address], local.Port{Number: spot.address.Port(), Protocol: sources.ProtocolOf(spot.port)})
		}
	}
	return ports
}

// withoutDoubles are the ports in order, each once. What was said later counts, for services know better than containers
// what is spoken, and the mesh best.
func withoutDoubles(ports []local.Port) []local.Port {
	protocols := map[uint16]model.Protocol{}
	for _, p := range ports {
		protocols[p.Number] = p.Protocol
	}
	var distinct []local.Port
	for number, protocol := range protocols {
		distinct = append(distinct, local.Port{Number: number, Protocol: protocol})
	}
	slices.SortFunc(distinct, func(a, b local.Port) int { return cmp.Compare(a.Number, b.Number) })
	return distinct
}

// environment is what the first container of a pod gets, as far as its manifest says it.
func environment(o *corev1.Pod) []string {
	var variables []string
	if len(o.Spec.Containers) == 0 {
		return nil
	}
	for _, e := range o.Spec.Containers[0].Env {
		value := e.Value
		if e.ValueFrom != nil {
			if e.ValueFrom.FieldRef == nil {
				continue
			}
			value = podField(o, e.ValueFrom.FieldRef.FieldPath)
		}
		variables = append(variables, e.Name+"="+value)
	}
	return variables
}

// podField is a field of a pod as the downward API gives it.
func podField(o *corev1.Pod, path string) string {
	switch path {
	case "metadata.name":
		return o.Name
	case "metadata.namespace":
		return o.Namespace
	case "spec.serviceAccountName":
		return o.Spec.ServiceAccountName
	case "status.podIP":
		return o.Status.PodIP
	}
	return ""
}

// withCommands has commands run in place of the echo server. Each is NAMESPACE/WORKLOAD=COMMAND, for every pod of the
// workload or for the pod of that name; the command is a line for the shell.
func withCommands(plan local.Plan, commands []string) (local.Plan, error) {
	plan.Pods = slices.Clone(plan.Pods)
	for _, text := range commands {
		name, line, ok := strings.Cut(text, "=")
		if !ok || strings.Count(name, "/") != 1 || strings.TrimSpace(line) == "" {
			return plan, fmt.Errorf("--exec takes NAMESPACE/WORKLOAD=COMMAND, not %q", text)
		}
		found := false
		var known []string
		for i, p := range plan.Pods {
			workload := p.Namespace + "/" + p.Workload
			known = append(known, workload)
			if name == workload || name == p.String() {
				plan.Pods[i].Command, found = []string{"/bin/sh", "-c", line}, true
			}
		}
		if !found {
			return plan, fmt.Errorf("there is no workload %q%s", name, didYouMean(name, known))
		}
	}
	return plan, nil
}
