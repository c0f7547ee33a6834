//go:build linux

package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/flomesh-io/fsmc/compiler/inject"
)

// interceptor applies rules with the tools of this machine that were found to work.
type interceptor struct {
	processes *processes
	restore4  string
	// restore6 redirects IPv6; empty when nothing here can, and drop6 then drops it. Both are empty without IPv6.
	restore6, drop6 string
}

var errNoTables = errors.New("iptables-restore and ip6tables-restore are missing here: they redirect traffic to the sidecars. Install iptables (Debian, Ubuntu: apt-get install iptables)")

// The programs that apply rules, by family, best first: the one that the system has chosen, then either kind by name.
var (
	restorers4 = []string{"iptables-restore", "iptables-nft-restore", "iptables-legacy-restore"}
	restorers6 = []string{"ip6tables-restore", "ip6tables-nft-restore", "ip6tables-legacy-restore"}
)

// newInterceptor finds out what works here, by applying the rules in a network namespace that is then thrown away.
func newInterceptor(p *processes, rules inject.Rules, ipv6 bool) (*interceptor, error) {
	scratch := newThread()
	defer scratch.end()
	err := scratch.do(func() error { return os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_NEWNET)) })
	if err != nil {
		return nil, err
	}
	i := &interceptor{processes: p}
	if i.restore4, err = i.choose(scratch, restorers4, rules.IPv4); err != nil {
		return nil, err
	}
	if !ipv6 {
		return i, nil
	}
	if i.restore6, err = i.choose(scratch, restorers6, rules.IPv6); err == nil {
		return i, nil
	}
	i.drop6, err = i.choose(scratch, restorers6, rules.DropIPv6)
	return i, err
}

// choose is the first program that can apply the rules.
func (i *interceptor) choose(t *thread, programs []string, rules string) (string, error) {
	var failures []error
	for _, program := range programs {
		err := i.restore(t, program, rules)
		if err == nil {
			return program, nil
		}
		if !errors.Is(err, exec.ErrNotFound) {
			failures = append(failures, err)
		}
	}
	if len(failures) == 0 {
		return "", errNoTables
	}
	return "", fmt.Errorf("traffic cannot be redirected on this machine: %w", errors.Join(failures...))
}

// intercept brings the traffic of a pod to its sidecar.
func (i *interceptor) intercept(p *pod, rules inject.Rules) error {
	err := i.restore(p.thread, i.restore4, rules.IPv4)
	if err == nil && i.restore6 != "" {
		err = i.restore(p.thread, i.restore6, rules.IPv6)
	}
	if err == nil && i.drop6 != "" {
		err = i.restore(p.thread, i.drop6, rules.DropIPv6)
	}
	if err != nil {
		return fmt.Errorf("redirect its traffic: %w", err)
	}
	p.rules = rules
	return nil
}

// renew puts other rules in place of those that were applied to a pod. Connections keep the way that they have.
func (i *interceptor) renew(p *pod, rules inject.Rules) error {
	err := i.restore(p.thread, i.restore4, withoutJumps(rules.IPv4))
	if err == nil && i.restore6 != "" {
		err = i.restore(p.thread, i.restore6, withoutJumps(rules.IPv6))
	}
	if err != nil {
		return fmt.Errorf("redirect its traffic in another way: %w", err)
	}
	p.rules = rules
	return nil
}

// withoutJumps are rules without those of the kernel's chains, which are there when such rules have been applied before.
// Applying the rest empties our own chains and fills them, at once for each table.
func withoutJumps(rules string) string {
	var b strings.Builder
	for line := range strings.Lines(rules) {
		if !slices.ContainsFunc([]string{"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}, func(chain string) bool { return strings.HasPrefix(line, "-A "+chain+" ") }) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// restore applies rules in the network namespace of a thread. Others may hold the tool's lock for a while.
func (i *interceptor) restore(t *thread, program, rules string) error {
	return i.processes.run(t, rules, program, "--noflush", "--wait", "30")
}
