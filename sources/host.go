package sources

import (
	"strconv"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// spelledService is the service that a host means in a namespace. A service may be spelled bare, or as name.ns,
// name.ns.svc, name.ns.svc.cluster, name.ns.svc.cluster.local; the host of a StatefulSet has its own name in front.
// A dotted name is read from its end: the last part is a namespace if there is one of that name. It is false when the
// host is spelled in no such way.
func spelledService(host, namespace string, isNamespace func(string) bool) (model.ServiceID, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, part := range parts {
		if part == "" {
			return model.ServiceID{}, false
		}
	}
	if last := len(parts) - 1; isNamespace(parts[last]) && last > 0 && last <= 2 {
		return within(parts[last], parts[:last])
	}
	if rest, ok := withoutDomain(parts); ok {
		return within(rest[len(rest)-1], rest[:len(rest)-1])
	}
	return within(namespace, parts)
}

// withoutDomain takes off what follows the namespace in a service's name.
func withoutDomain(parts []string) ([]string, bool) {
	for _, suffix := range []string{".svc", ".svc.cluster", ".svc." + ClusterDomain} {
		rest, found := strings.CutSuffix(strings.Join(parts, "."), suffix)
		if found && strings.Contains(rest, ".") {
			return strings.Split(rest, "."), true
		}
	}
	return nil, false
}

// within is the service of a namespace that one name, or a host and a name, mean.
func within(namespace string, names []string) (model.ServiceID, bool) {
	if len(names) == 0 || len(names) > 2 {
		return model.ServiceID{}, false
	}
	return model.ServiceID{Namespace: namespace, Name: strings.Join(names, ".")}, true
}

// hostPort takes the port off a host; 0 when there is none. It is false when what follows the colon is no port.
func hostPort(text string) (string, uint16, bool) {
	host, digits, found := strings.Cut(text, ":")
	if !found {
		return text, 0, true
	}
	number, err := strconv.Atoi(digits)
	if err != nil {
		return host, 0, false
	}
	port, ok := portNumber(number)
	return host, port, ok
}
