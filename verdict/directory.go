package verdict

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Directory says who can be asked, and where names lead.
type Directory struct {
	Pods []Pod
	// Names are full names, such as web.shop.svc.cluster.local, and their addresses.
	Names map[string][]netip.Addr
}

// Pod is a pod that can ask.
type Pod struct {
	Namespace      string
	Name           string
	ServiceAccount string
}

// question turns a case into what an engine is asked.
func (d Directory) question(c Case) (Question, error) {
	pod, err := d.pod(c.From)
	if err != nil {
		return Question{}, err
	}
	address, err := d.address(c.To, pod.Namespace)
	if err != nil {
		return Question{}, err
	}
	q := Question{Namespace: pod.Namespace, Pod: pod.Name, Address: address}
	if c.Request != nil {
		request := *c.Request
		request.Host = cmp.Or(request.Host, c.To)
		q.Request = &request
	}
	return q, nil
}

// pod finds a pod by its name, or the first by name of a service account.
func (d Directory) pod(from string) (Pod, error) {
	namespace, name, _ := strings.Cut(from, "/")
	var found []Pod
	for _, p := range d.Pods {
		switch {
		case p.Namespace != namespace:
		case p.Name == name:
			return p, nil
		case p.ServiceAccount == name:
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return Pod{}, fmt.Errorf("no pod or service account %s: there are %s", from, d.pods())
	}
	return slices.MinFunc(found, func(a, b Pod) int { return cmp.Compare(a.Name, b.Name) }), nil
}

func (d Directory) pods() string {
	var names []string
	for _, p := range d.Pods {
		names = append(names, p.Namespace+"/"+p.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// address finds where a name leads, trying the suffixes that a pod of the namespace would, in their order. Of several
// addresses it is the first.
func (d Directory) address(to, namespace string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(to)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %s of %s: %w", port, to, err)
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(address, uint16(number)), nil
	}
	for _, suffix := range []string{"." + namespace + ".svc.cluster.local", ".svc.cluster.local", ".cluster.local", ""} {
		if addresses := d.Names[host+suffix]; len(addresses) > 0 {
			return netip.AddrPortFrom(addresses[0], uint16(number)), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("the name %s leads nowhere", host)
}
