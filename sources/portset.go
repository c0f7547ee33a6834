package sources

import (
	"fmt"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// portSet is the set of the given ports; of none it is empty, and never all.
func portSet(ports []uint16) model.PortSet {
	if len(ports) == 0 {
		return model.PortSet{}
	}
	ordered := slices.Clone(ports)
	slices.Sort(ordered)
	return model.PortSet{Ports: model.ListOf(slices.Compact(ordered)...)}
}

// union is the set of ports that are in one of the sets.
func union(sets []model.PortSet) model.PortSet {
	var ports []uint16
	for _, set := range sets {
		if set.All {
			return model.AllPorts
		}
		ports = slices.AppendSeq(ports, set.Ports.Values())
	}
	return portSet(ports)
}

// intersection is the set of ports that are in both sets.
func intersection(a, b model.PortSet) model.PortSet {
	if a.All {
		return b
	}
	var ports []uint16
	for port := range a.Ports.Values() {
		if b.Contains(port) {
			ports = append(ports, port)
		}
	}
	return portSet(ports)
}

// portNumber is a number as a port, if it can be one.
func portNumber(number int) (uint16, bool) {
	if number < 1 || number > 65535 {
		return 0, false
	}
	return uint16(number), true
}

func invalidPort(at model.Ref, number int) model.Diagnostic {
	return model.Note(model.InvalidPort, at, fmt.Sprintf("port %d is not between 1 and 65535", number)).
		Mend("write a port of the pod, from 1 to 65535")
}
