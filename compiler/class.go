package compiler

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

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
func (s classSpec) name(sum specSum) string {
	return s.Namespace + "/" + s.ServiceAccount + "~" + hex.EncodeToString(sum[:5])
}

// kind is what the proxies of one class have in common. As long as there is a proxy of it, it is the same pointer.
type kind struct {
	spec    classSpec
	sum     specSum
	name    string
	members []model.Member // in order
}

// compare orders kinds by name. Two of one name have other hashes: five bytes of them are in a name.
func (k *kind) compare(l *kind) int {
	return cmp.Or(cmp.Compare(k.name, l.name), slices.Compare(k.sum[:], l.sum[:]))
}

func (k *kind) identity() model.Identity {
	return model.Identity{Namespace: k.spec.Namespace, ServiceAccount: k.spec.ServiceAccount}
}

// place is a class on its way: a kind, the proxies of it, and the two sides of their configuration.
type place struct {
	kind    *kind
	proxies []model.ProxyID // in order
	out     *calls
	in      *inbound
	class   *Class
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

// newKind is the kind of a proxy, made anew.
func newKind(proxy *model.Proxy) *kind {
	members := slices.SortedFunc(proxy.Members.Values(), compareMembers)
	spec := newClassSpec(proxy, members)
	sum := specSum(sha256.Sum256([]byte(keyOf(spec))))
	return &kind{spec: spec, sum: sum, name: spec.name(sum), members: members}
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

// anyFamilies are all that families can be.
func anyFamilies() []families { return []families{{V4: true}, {V6: true}, {V4: true, V6: true}} }

func (f families) rank() uint64 {
	n := uint64(0)
	if f.V4 {
		n++
	}
	if f.V6 {
		n += 2
	}
	return n
}
