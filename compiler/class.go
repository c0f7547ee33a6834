package compiler

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// classSpec is what decides a proxy's configuration: proxies with equal ones get the same. Its hash is in the name of
// the class.
type classSpec struct {
	Namespace      string
	ServiceAccount string
	Families       families
	Metrics        bool
	Members        []memberSpec
}

type memberSpec struct {
	Namespace string
	Service   string
	Port      uint16
	Target    uint16
	Protocol  string
	Headless  bool
}

// name is <namespace>/<service account>~<hash>, always with the hash, so that a second class of an identity does not
// rename the first.
func (s classSpec) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.Namespace + "/" + s.ServiceAccount + "~" + hex.EncodeToString(sum[:5])
}

// group is the proxies of one class.
type group struct {
	spec    classSpec
	name    string
	members []model.Member
	proxies []*model.Proxy
}

// groups sorts the proxies of a mesh into classes, in order of their names.
func groups(mesh *model.Mesh) []*group {
	byKey := map[string]*group{}
	for proxy := range mesh.Proxies() {
		members := slices.SortedFunc(proxy.Members.Values(), compareMembers)
		spec := newClassSpec(proxy, members)
		key := keyOf(spec)
		g, ok := byKey[key]
		if !ok {
			g = &group{spec: spec, name: spec.name(key), members: members}
			byKey[key] = g
		}
		g.proxies = append(g.proxies, proxy)
	}
	var list []*group
	for _, key := range sortedKeys(byKey) {
		list = append(list, byKey[key])
	}
	slices.SortFunc(list, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	return list
}

func newClassSpec(proxy *model.Proxy, members []model.Member) classSpec {
	spec := classSpec{
		Namespace: proxy.Identity.Namespace, ServiceAccount: proxy.Identity.ServiceAccount,
		Families: familiesOf(proxy), Metrics: proxy.Metrics,
	}
	for _, m := range members {
		spec.Members = append(spec.Members, memberSpec{
			Namespace: m.ServicePort.Service.Namespace, Service: m.ServicePort.Service.Name, Port: m.ServicePort.Port,
			Target: m.Target, Protocol: string(m.Protocol), Headless: m.Headless,
		})
	}
	return spec
}

// familiesOf are the IP versions of a pod's addresses; a pod without an address yet counts as IPv4.
func familiesOf(proxy *model.Proxy) families {
	var f families
	for address := range proxy.Addresses.Values() {
		f.V4 = f.V4 || address.Is4()
		f.V6 = f.V6 || address.Is6()
	}
	f.V4 = f.V4 || !f.V6
	return f
}
