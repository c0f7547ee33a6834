package sources

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// index makes it possible to find the pods by their names and addresses, from how they were found before.
func (p *pods) index(before *pods) {
	gone, come := exchange(before.all, p.all)
	if before.crowded == nil || len(gone)+len(come) > few {
		p.indexAll()
		return
	}
	ids, addresses := map[model.ProxyID]*pod{}, map[netip.Addr][]*pod{}
	for _, q := range gone {
		ids[q.id] = nil
		for _, address := range q.addresses {
			addresses[address] = nil
		}
	}
	for _, q := range come {
		ids[q.id] = q
		for _, address := range q.addresses {
			addresses[address] = nil
		}
	}
	//ordered: each address has a list of its own
	for address := range addresses {
		addresses[address] = exchangedAt(address, before.byAddress.get(address), gone, come)
	}
	byID, fewIDs := before.byID.with(ids)
	byAddress, fewAddresses := before.byAddress.with(addresses)
	if !fewIDs || !fewAddresses {
		p.indexAll()
		return
	}
	p.byID, p.byAddress, p.crowded = byID, byAddress, maps.Clone(before.crowded)
	p.changed = podChanges{before.generation, ids, addresses}
	//ordered: it fills a map
	for address, there := range addresses {
		delete(p.crowded, address)
		if len(there) > 1 {
			p.crowded[address] = true
		}
	}
}

// generation tells one index of pods from another.
type generation struct{ _ byte }

// podChanges are the names and addresses at which other pods are than in an index of before; from is nil when everything may
// be other.
type podChanges struct {
	from      *generation
	ids       map[model.ProxyID]*pod
	addresses map[netip.Addr][]*pod
}

// few is how many pods may come and go for an index to be mended; for more it is made anew.
const few = 256

// exchangedAt are the pods at an address without some and with others, in order.
func exchangedAt(address netip.Addr, pods, without, with []*pod) []*pod {
	var there []*pod
	for _, q := range pods {
		if !slices.Contains(without, q) {
			there = append(there, q)
		}
	}
	for _, q := range with {
		if slices.Contains(q.addresses, address) {
			there = append(there, q)
		}
	}
	slices.SortFunc(there, func(a, b *pod) int { return a.id.Compare(b.id) })
	return there
}

func (p *pods) indexAll() {
	byID, byAddress := make(map[model.ProxyID]*pod, len(p.all)), make(map[netip.Addr][]*pod, len(p.all))
	p.crowded = map[netip.Addr]bool{}
	for _, q := range p.all {
		byID[q.id] = q
		for _, address := range q.addresses {
			byAddress[address] = append(byAddress[address], q)
			if len(byAddress[address]) > 1 {
				p.crowded[address] = true
			}
		}
	}
	p.byID, p.byAddress = layered[model.ProxyID, *pod]{base: byID}, layered[netip.Addr, []*pod]{base: byAddress}
}
