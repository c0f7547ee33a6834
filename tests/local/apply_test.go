//go:build linux

package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/local"
)

// shop is a plan with a service web of some pods.
func shop(pods []local.Pod, behind ...local.Pod) local.Plan {
	plan := local.Plan{Pods: pods}
	v, n := service("web", 1, behind...)
	plan.Addresses, plan.Names = []local.Virtual{v}, []local.Name{n}
	return plan
}

// apply applies a plan in the folder of the one before.
func (m *mesh) apply(plan local.Plan) {
	m.t.Helper()
	if err := m.tryApply(plan); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mesh) tryApply(plan local.Plan) error {
	m.t.Helper()
	return m.Apply(m.t.Context(), m.prepare(plan))
}

// prepare makes a plan ready to be applied.
func (m *mesh) prepare(plan local.Plan) local.Plan {
	m.t.Helper()
	plan.Folder, plan.Envoy = m.plan.Folder, m.plan.Envoy
	m.plan = plan
	m.writeTree(plan)
	return plan
}

const webAddress = "198.18.0.1:80"

func TestPodsComeAndGo(t *testing.T) {
	client, web, plain := podOf("client-0", 1, true), podOf("web-0", 2, true), podOf("plain-0", 3, false)
	m := start(t, shop([]local.Pod{client, web, plain}, web), local.Options{})
	if answer := m.asks("client-0", webAddress, get("/")); answer.Backend != "web" || answer.Echo.Pod != "web-0" {
		t.Fatalf("got %+v", answer)
	}
	before := m.sidecars()

	next := podOf("web-1", 4, true)
	m.apply(shop([]local.Pod{client, web, plain, next}, web, next))
	reached := m.reached("client-0", 40)
	if !slices.Equal(reached, []string{"web-0", "web-1"}) {
		t.Errorf("%v answer", reached)
	}

	m.apply(shop([]local.Pod{client, plain, next}, next))
	if reached := m.reached("client-0", 10); !slices.Equal(reached, []string{"web-1"}) {
		t.Errorf("%v answer after a pod has gone", reached)
	}
	if answer := m.asks("plain-0", "100.64.0.2:8080", get("/")); answer.Allowed || !strings.Contains(answer.Reason, "no way") {
		t.Errorf("a pod that has gone gives %+v", answer)
	}
	after := m.sidecars()
	if after["shop/client-0"] != before["shop/client-0"] || len(after) != 2 {
		t.Errorf("sidecars before: %v, after: %v", before, after)
	}
	if links := m.links(); len(links) != 3 {
		t.Errorf("the fabric has %v", links)
	}
	if n := m.networks(); n != 3+1 {
		t.Errorf("there are %d network namespaces", n)
	}
	m.apply(local.Plan{})
	if links := m.links(); len(links) != 0 {
		t.Errorf("the fabric has %v", links)
	}
	if n := m.networks(); n != 1 {
		t.Errorf("there are %d network namespaces", n)
	}
	m.apply(shop([]local.Pod{client, web}, web))
	if answer := m.asks("client-0", webAddress, get("/")); !answer.Allowed {
		t.Errorf("got %+v", answer)
	}
	if said := m.said.String(); said != "" {
		t.Errorf("there was trouble: %s", said)
	}
}

func TestAnEqualPlanChangesNothing(t *testing.T) {
	client, web := podOf("client-0", 1, true), podOf("web-0", 2, true)
	web.Command = []string{"sleep", "1000"}
	plan := shop([]local.Pod{client, web}, web)
	m := start(t, plan, local.Options{})
	before, links, rules := m.processes(), m.links(), m.inside("iptables-save", "-t", "nat")
	began := time.Now()
	m.apply(plan)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	if after := m.processes(); !slices.Equal(before, after) {
		t.Errorf("processes before:\n%v\nafter:\n%v", before, after)
	}
	if after := m.links(); !slices.Equal(links, after) {
		t.Errorf("links before:\n%v\nafter:\n%v", links, after)
	}
	if after := m.inside("iptables-save", "-t", "nat"); withoutComments(rules) != withoutComments(after) {
		t.Errorf("rules before:\n%s\nafter:\n%s", rules, after)
	}
	moved := plan
	moved.Pods = slices.Clone(plan.Pods)
	moved.Pods[0].Origin = "another line"
	m.apply(moved)
	if after := m.processes(); !slices.Equal(before, after) {
		t.Errorf("a pod that stands on another line was made again: %v, %v", before, after)
	}
}

// Connections that are open survive what happens around them, to a virtual address that leads elsewhere as well.
func TestOpenConnectionsSurvive(t *testing.T) {
	client, web, other := podOf("client-0", 1, true), podOf("web-0", 2, true), podOf("web-1", 3, true)
	plain, server := podOf("plain-0", 4, false), podOf("server-0", 5, false)
	pods := []local.Pod{client, web, plain, server}
	tcp := func(plan local.Plan, to local.Pod) local.Plan {
		plan.Addresses = append(plan.Addresses, local.Virtual{
			Address: netip.MustParseAddrPort("198.18.0.9:90"), Endpoints: []netip.AddrPort{netip.AddrPortFrom(to.Addresses[0], 9000)},
		})
		return plan
	}
	m := start(t, tcp(shop(pods, web), server), local.Options{})
	direct, virtual := m.keeps("plain-0", "100.64.0.5:9000"), m.keeps("plain-0", "198.18.0.9:90")
	through := m.keeps("client-0", "198.18.0.9:90")
	for _, c := range []*kept{direct, virtual, through} {
		c.echoed(t, "server-0")
	}

	plan := tcp(shop(append(slices.Clone(pods), other), other), plain)
	plan.Interception = model.Interception{OutboundExcludedPorts: model.ListOf[uint16](7777)}
	m.apply(plan)
	for _, c := range []*kept{direct, virtual, through} {
		c.echoed(t, "server-0")
	}
	m.keeps("client-0", "198.18.0.9:90").echoed(t, "plain-0")
	m.keeps("plain-0", "198.18.0.9:90").echoed(t, "plain-0")
}

func TestServicesChange(t *testing.T) {
	client, web := podOf("client-0", 1, false), podOf("web-0", 2, false)
	pods := []local.Pod{client, web}
	m := start(t, shop(pods, web), local.Options{})
	if got := m.runs("client-0", "getent", "ahostsv4", "web.shop"); !strings.HasPrefix(got, "198.18.0.1 ") {
		t.Errorf("web.shop is %q", got)
	}
	v, n := service("shelf", 2, web)
	m.apply(local.Plan{Pods: pods, Addresses: []local.Virtual{v}, Names: []local.Name{n}})
	if got := m.runs("client-0", "getent", "ahostsv4", "shelf.shop"); !strings.HasPrefix(got, "198.18.0.2 ") {
		t.Errorf("shelf.shop is %q", got)
	}
	if got := m.runs("client-0", "getent", "ahostsv4", "web.shop"); got != "" {
		t.Errorf("web.shop is still %q", got)
	}
	if answer := m.asks("client-0", "198.18.0.2:80", get("/")); !answer.Allowed {
		t.Errorf("the new address gives %+v", answer)
	}
	if answer := m.asks("client-0", webAddress, get("/")); answer.Allowed || !strings.Contains(answer.Reason, "no way") {
		t.Errorf("the old address gives %+v", answer)
	}
}

// A pod is made again if it has to be, and otherwise changed in place.
func TestPodsChange(t *testing.T) {
	client, web := podOf("client-0", 1, true), podOf("web-0", 2, true)
	m := start(t, shop([]local.Pod{client, web}, web), local.Options{})
	for _, c := range []struct {
		name   string
		change func(*local.Pod)
		// again says that the sidecar is another one, anew that the pod is.
		again, anew bool
		check       func() bool
	}{
		{"its ports", func(p *local.Pod) {
			p.Ports = append(slices.Clone(p.Ports[:1]), local.Port{Number: 9100, Protocol: model.TCP})
		}, false, false,
			func() bool {
				return m.asks("web-0", "127.0.0.1:9100", nil).Allowed && !m.asks("web-0", "127.0.0.1:9000", nil).Allowed
			}},
		{"the file of its sidecar", func(p *local.Pod) { m.write(p.String(), passOn+"# another one\n") }, true, false, func() bool { return true }},
		{"its workload", func(p *local.Pod) { p.Workload = "shelf" }, true, true,
			func() bool { return m.asks("client-0", webAddress, get("/")).Backend == "shelf" }},
		{"its address", func(p *local.Pod) { p.Addresses = []netip.Addr{netip.MustParseAddr("100.64.0.77")} }, true, true,
			func() bool { return m.asks("client-0", webAddress, get("/")).Allowed }},
		{"its command", func(p *local.Pod) { p.Command = []string{"sleep", "1000"} }, true, true,
			func() bool { return strings.Contains(m.runs("web-0", "pgrep", "-x", "sleep"), "\n") }},
		{"its sidecar", func(p *local.Pod) { p.Sidecar = false }, true, true, func() bool { return m.sidecars()["shop/web-0"] == "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, links := m.sidecars(), m.links()
			c.change(&web)
			m.apply(shop([]local.Pod{client, web}, web))
			after := m.sidecars()
			if again := before["shop/web-0"] != after["shop/web-0"]; again != c.again || before["shop/client-0"] != after["shop/client-0"] {
				t.Errorf("sidecars before: %v, after: %v", before, after)
			}
			if anew := !slices.Equal(links, m.links()); anew != c.anew {
				t.Errorf("links before: %v, after: %v", links, m.links())
			}
			if !c.check() {
				t.Error("the change is not there")
			}
		})
	}
	if said := m.said.String(); said != "" {
		t.Errorf("there was trouble: %s", said)
	}
}

// However often a mesh was changed, nothing of it stays.
func TestNothingStaysOfAMeshThatChanged(t *testing.T) {
	name := fmt.Sprint("changed-", time.Now().UnixNano())
	t.Setenv(marker, name)
	before := machine(t)
	client, web := podOf("client-0", 1, true), podOf("web-0", 2, true)
	client.Command = []string{"sh", "-c", "trap '' TERM; sleep 1000 & while :; do sleep 1000; done"}
	m := start(t, shop([]local.Pod{client, web}, web), local.Options{Restart: true})
	m.apply(shop([]local.Pod{web}, web))
	if left := m.processes(); len(left) != 1 {
		t.Errorf("of a pod that has gone these processes stay: %v, beside a sidecar", left)
	}
	m.apply(shop([]local.Pod{client, web}, web))
	m.Close()
	gone(t, name)
	if after := machine(t); !slices.Equal(before, after) {
		t.Errorf("links and mounts before:\n%v\nafter:\n%v", before, after)
	}
}

// What is broken is told, costs nobody else anything, and is tried again.
func TestABrokenPodIsAlone(t *testing.T) {
	client, web := podOf("client-0", 1, true), podOf("web-0", 2, true)
	m := start(t, shop([]local.Pod{client, web}, web), local.Options{})
	broken, fine := podOf("broken-0", 3, true), podOf("fine-0", 4, true)
	doubled := podOf("doubled-0", 5, true)
	doubled.Ports = append(doubled.Ports, local.Port{Number: 8080, Protocol: model.TCP})
	m.write("shop/broken-0", "patience: 1\n")
	plan := shop([]local.Pod{client, web, broken, doubled, fine}, fine)
	err := m.tryApply(plan)
	for _, words := range []string{"pod shop/broken-0 (Pod shop/broken-0): its sidecar ended (exit code 1)", "patience", "pod shop/doubled-0", "port 8080 is in use"} {
		if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(m.said.String(), words) {
			t.Errorf("it does not say %q: %v", words, err)
		}
	}
	if broken := slices.Sorted(slices.Values(local.Broken(err))); !slices.Equal(broken, []string{"shop/broken-0", "shop/doubled-0"}) {
		t.Errorf("%v are said to be broken", broken)
	}
	if n := strings.Count(m.said.String(), "pod shop/broken-0"); n != 1 {
		t.Errorf("it was told %d times:\n%s", n, m.said)
	}
	if reached := m.reached("client-0", 5); !slices.Equal(reached, []string{"fine-0"}) {
		t.Errorf("%v answer", reached)
	}
	if broken := local.Broken(m.tryApply(plan)); !slices.Contains(broken, "shop/broken-0") {
		t.Errorf("afterwards, %v are said to be broken", broken)
	}
	if n := strings.Count(m.said.String(), "pod shop/broken-0"); n != 1 {
		t.Errorf("it was told %d times:\n%s", n, m.said)
	}
	m.write("shop/broken-0", passOn)
	plan.Pods[3].Ports = plan.Pods[3].Ports[:2]
	m.apply(plan)
	for _, pod := range []string{"broken-0", "doubled-0"} {
		if answer := m.asks(pod, webAddress, get("/")); !answer.Allowed {
			t.Errorf("%s: %+v", pod, answer)
		}
	}
}

// Whoever asks while the mesh changes gets an answer.
func TestAsksGoOnDuringAChange(t *testing.T) {
	client, web := podOf("client-0", 1, true), podOf("web-0", 2, true)
	m := start(t, shop([]local.Pod{client, web}, web), local.Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 6 {
			pods := []local.Pod{client, web}
			if i%2 == 0 {
				pods = append(pods, podOf("more-0", 10, true), podOf("more-1", 11, false))
			}
			if err := m.tryApply(shop(pods, pods[1:]...)); err != nil {
				t.Error(err)
			}
		}
	}()
	asked := 0
	for ; ; asked++ {
		select {
		case <-done:
			if asked < 10 {
				t.Errorf("only %d questions", asked)
			}
			return
		default:
		}
		if answer := m.asks("client-0", webAddress, get("/")); !answer.Allowed {
			t.Errorf("got %+v", answer)
		}
		if _, err := m.Pods(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = m.runs("client-0", "true")
	}
}

func TestSidecarsAreStartedAgain(t *testing.T) {
	client, web := podOf("client-0", 1, true), podOf("web-0", 2, true)
	m := start(t, shop([]local.Pod{client, web}, web), local.Options{Restart: true})
	before := m.sidecars()["shop/web-0"]
	m.runs("web-0", "kill", "-KILL", before)
	within(t, 10*time.Second, "the sidecar runs again", func() bool {
		pods, err := m.Pods(t.Context())
		i := slices.IndexFunc(pods, func(s local.Status) bool { return s.Pod == "web-0" })
		return err == nil && pods[i].Sidecar == local.Ready && pods[i].Restarts == 1
	})
	if !strings.Contains(m.said.String(), "pod shop/web-0 (Pod shop/web-0): its sidecar ended (killed by signal 9 (killed))") || !strings.Contains(m.said.String(), "It starts again in 1s") {
		t.Errorf("it said %s", m.said)
	}
	if answer := m.asks("client-0", webAddress, get("/")); !answer.Allowed {
		t.Errorf("got %+v", answer)
	}
}

// reached are the pods that answer at the address of web.
func (m *mesh) reached(from string, times int) []string {
	m.t.Helper()
	pods := map[string]bool{}
	for range times {
		answer := m.asks(from, webAddress, get("/"))
		if !answer.Allowed {
			m.t.Errorf("refused: %s", answer.Reason)
		}
		pods[answer.Echo.Pod] = true
	}
	var names []string
	for name := range pods {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// inner is the process that holds the mesh.
func (m *mesh) inner() int {
	m.t.Helper()
	for _, pid := range children(os.Getpid()) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.Contains(string(text), local.InsideArgument) {
			return pid
		}
	}
	m.t.Fatal("no process holds the mesh")
	return 0
}

// inside runs a command in the network between the pods.
func (m *mesh) inside(command ...string) string {
	m.t.Helper()
	arguments := []string{"--net", "--target", fmt.Sprint(m.inner())}
	if os.Geteuid() != 0 {
		arguments = append(arguments, "--user", "--preserve-credentials")
	}
	out, err := exec.Command("nsenter", append(arguments, command...)...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// links are the links of pods.
func (m *mesh) links() []string {
	m.t.Helper()
	var names []string
	for line := range strings.Lines(m.inside("ip", "-o", "link")) {
		if name := strings.Fields(line)[1]; strings.HasPrefix(name, "pod") {
			names = append(names, name)
		}
	}
	return names
}

// networks is how many network namespaces the threads and processes of the mesh are in.
func (m *mesh) networks() int {
	m.t.Helper()
	found := map[string]bool{}
	add := func(pid int) {
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, thread := range threads {
			if id, err := os.Readlink(fmt.Sprintf("/proc/%d/task/%s/ns/net", pid, thread.Name())); err == nil {
				found[id] = true
			}
		}
	}
	add(m.inner())
	for _, pid := range children(m.inner()) {
		add(pid)
	}
	return len(found)
}

// processes are those that the mesh has started.
func (m *mesh) processes() []int {
	m.t.Helper()
	pids := children(m.inner())
	slices.Sort(pids)
	return pids
}

// sidecars are the processes of sidecars, by their pods, as they are counted inside.
func (m *mesh) sidecars() map[string]string {
	m.t.Helper()
	found := map[string]string{}
	for _, p := range m.plan.Pods {
		if pid := strings.TrimSpace(m.runs(p.Name, "sh", "-c", "pgrep --nslist net --ns $$ --euid 1500")); pid != "" {
			found[p.String()] = pid
		}
	}
	return found
}

func withoutComments(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ":PREROUTING") && !strings.HasPrefix(line, ":INPUT") && !strings.HasPrefix(line, ":OUTPUT") && !strings.HasPrefix(line, ":POSTROUTING") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// kept is a connection from a pod that stays open, held by a program there.
type kept struct {
	to   io.Writer
	from *bufio.Reader
	sent int
}

// keeps opens a connection from a pod of namespace shop.
func (m *mesh) keeps(pod, to string) *kept {
	m.t.Helper()
	in, input, err := os.Pipe()
	if err != nil {
		m.t.Fatal(err)
	}
	output, out, err := os.Pipe()
	if err != nil {
		m.t.Fatal(err)
	}
	at := netip.MustParseAddrPort(to)
	script := fmt.Sprintf("exec 3<>/dev/tcp/%s/%d; cat <&3 & exec cat >&3", at.Addr(), at.Port())
	ctx, cancel := context.WithCancel(m.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = m.Execute(ctx, local.Execution{Namespace: "shop", Pod: pod, Arguments: []string{"bash", "-c", script}, Environment: os.Environ(), Folder: "/"}, [3]*os.File{in, out, out}, nil)
		for _, f := range []*os.File{in, out} {
			_ = f.Close()
		}
	}()
	m.t.Cleanup(func() {
		cancel()
		<-ended
		for _, f := range []*os.File{input, output} {
			_ = f.Close()
		}
	})
	return &kept{to: input, from: bufio.NewReader(output)}
}

// echoed wants a line to come back from a pod.
func (k *kept) echoed(t *testing.T, pod string) {
	t.Helper()
	k.sent++
	line := fmt.Sprintf("line %d\n", k.sent)
	if _, err := io.WriteString(k.to, line); err != nil {
		t.Fatal(err)
	}
	said, err := k.from.ReadString('\n')
	if err != nil || !strings.Contains(said, `"pod":"`+pod+`"`) {
		t.Fatalf("for %q came %q, %v", line, said, err)
	}
	if back, err := k.from.ReadString('\n'); err != nil || back != line {
		t.Fatalf("for %q came %q, %v", line, back, err)
	}
}
