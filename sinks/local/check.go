package local

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"

	"github.com/flomesh-io/fsmc/model"
)

// check says what makes a plan impossible.
func check(plan Plan) error {
	if len(plan.Pods) == 0 {
		return errors.New("there is no pod to run")
	}
	if _, err := exec.LookPath(plan.Envoy); err != nil {
		return fmt.Errorf("cannot run Envoy: %w", err)
	}
	return checkAddresses(plan)
}

// checkAddresses makes sure that each pod has an address, and none has another's.
func checkAddresses(plan Plan) error {
	owners, names := map[netip.Addr]Pod{}, map[model.ProxyID]bool{}
	for _, p := range plan.Pods {
		if names[p.id()] {
			return fmt.Errorf("there are two pods %s", p)
		}
		names[p.id()] = true
		if len(p.Addresses) == 0 {
			return fmt.Errorf("pod %s has no address", p)
		}
		for _, address := range p.Addresses {
			if other, taken := owners[address]; taken {
				return fmt.Errorf("pods %s and %s have one address, %s", other, p, address)
			}
			owners[address] = p
		}
	}
	return nil
}
