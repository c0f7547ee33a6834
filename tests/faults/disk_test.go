//go:build linux

package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
)

// disk is a control plane and the disk that its folders are on, which can be full.
type disk struct {
	controlplane.Place
	*controlplane.Process
	fill, free func(*testing.T)
	// command is one that runs another on the same disk.
	command func(p controlplane.Place) *exec.Cmd
	// folder is one on the disk, and full is what the system says when there is no room.
	folder, full string
}

// onDisks runs a test on a small disk that nobody else sees, where the system lets this user mount one, and with a control
// plane whose files may not grow, which can be had everywhere.
func onDisks(t *testing.T, seed uint64, test func(t *testing.T, folder string, d *disk)) {
	t.Helper()
	for name, have := range map[string]func(*testing.T, string) *disk{"a small disk": mounted, "files that may not grow": limited} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, _ := manifests(t, 10, seed)
			d := have(t, folder)
			if d == nil {
				t.Log("this system lets this user mount nothing; the other disk has to suffice")
				return
			}
			test(t, folder, d)
		})
	}
}

// diskScript mounts the disk, and becomes the control plane.
const diskScript = `mount -t tmpfs -o size=2m none "$1" || exit 77
shift
exec "$@"`

// mounted is a control plane on a small disk; nil where that cannot be.
func mounted(t *testing.T, manifests string) *disk {
	t.Helper()
	folder := t.TempDir()
	p := place(t, manifests)
	p.Out, p.Authority = filepath.Join(folder, "out"), filepath.Join(folder, "ca")
	c := exec.Command("sh", append([]string{"-c", diskScript, "sh", folder, p.Program}, p.Arguments()...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	process, err := controlplane.Begin(p, c)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EACCES) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	ends(t, process)
	if !serves(t, process) {
		if process.End(syscall.SIGKILL) != 77 {
			t.Fatalf("it does not serve: %s", process.Said())
		}
		return nil
	}
	inside := fmt.Sprintf("/proc/%d/root%s", process.ID(), folder)
	d := &disk{Place: p, Process: process, folder: inside, full: "no space left on device"}
	d.Out, d.Authority = inside+"/out", inside+"/ca" // as they are seen from here
	filling := inside + "/filling"
	d.fill = func(t *testing.T) { fill(t, filling) }
	d.free = func(t *testing.T) { remove(t, filling) }
	d.command = func(p controlplane.Place) *exec.Cmd { return exec.Command(p.Program, p.Arguments()...) }
	return d
}

// serves waits until a control plane serves, and says whether it does.
func serves(t *testing.T, process *controlplane.Process) bool {
	t.Helper()
	ended := false
	within(t, recovery, "it serves, or has ended", func() bool {
		select {
		case <-process.Exited():
			ended = true
		default:
		}
		return ended || strings.Contains(process.Said(), "serving:")
	})
	return !ended
}

// fill leaves no room on a disk.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 64 << 10; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

// limited is a control plane whose files may not grow beyond nothing while its disk counts as full: they can be made, and
// nothing can be written to them.
func limited(t *testing.T, manifests string) *disk {
	t.Helper()
	p := place(t, manifests)
	process := start(t, p)
	d := &disk{Place: p, Process: process, folder: t.TempDir(), full: "file too large"}
	limit := func(t *testing.T, most uint64) {
		t.Helper()
		if err := unix.Prlimit(process.ID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: unix.RLIM_INFINITY}, nil); err != nil {
			t.Fatal(err)
		}
	}
	d.fill = func(t *testing.T) { limit(t, 0) }
	d.free = func(t *testing.T) { limit(t, unix.RLIM_INFINITY) }
	d.command = func(p controlplane.Place) *exec.Cmd {
		return exec.Command("sh", append([]string{"-c", `ulimit -S -f 0; exec "$@"`, "sh", p.Program}, p.Arguments()...)...)
	}
	return d
}

// root makes the mesh go over to another root, which the authority has to write down.
const root = `apiVersion: config.flomesh.io/v1alpha2
kind: MeshRootCertificate
metadata: {name: next, namespace: fsm-system}
spec:
  role: active
  trustDomain: cluster.local
  provider: {tresor: {ca: {secretRef: {name: next, namespace: fsm-system}}}}
`

// The disk is full on which the files of sidecars are. Those that run are served every edit within 30 seconds all the same, and
// why new ones cannot start is told. Once there is room they can, within 30 seconds, without another edit.
func TestFullDiskForBootstraps(t *testing.T) {
	t.Parallel()
	onDisks(t, 5, func(t *testing.T, folder string, d *disk) {
		known := nodes(t, folder)
		all := join(t, known, d.Sidecar)
		all.hasAll(t, folder)
		d.fill(t)
		if err := os.WriteFile(filepath.Join(folder, "late.yaml"), []byte(late), 0o600); err != nil {
			t.Fatal(err)
		}
		within(t, recovery, "it is told that the disk is full", func() bool { return strings.Contains(d.Said(), d.full) })
		want := whole(t, folder)
		within(t, recovery, "who runs is served", func() bool { return all.lacks(onlyOf(want, known)) == "" })
		d.free(t)
		all["space-0/late-0"] = join(t, []string{"space-0/late-0"}, d.Sidecar)["space-0/late-0"]
		all.hasAll(t, folder)
		all.noRepeats(t)
		d.nothingIsLeft(t)
	})
}

// onlyOf are the entries of some nodes.
func onlyOf(want map[string]map[string]string, nodes []string) map[string]map[string]string {
	some := map[string]map[string]string{}
	for _, node := range nodes {
		some[node] = want[node]
	}
	return some
}

// nothingIsLeft wants that no half of a file is left over of what could not be written.
func (d *disk) nothingIsLeft(t *testing.T) {
	t.Helper()
	for _, folder := range []string{d.Out, d.Authority} {
		leftovers(t, folder)
	}
}

// late is a pod that everybody in the first namespace sees, and a service of its.
const late = `apiVersion: v1
kind: ServiceAccount
metadata: {name: late, namespace: space-0}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: late, namespace: space-0}
spec:
  selector: {matchLabels: {app: late}}
  template:
    metadata: {labels: {app: late}}
    spec: {serviceAccountName: late, containers: [{name: app, image: none, ports: [{containerPort: 8080}]}]}
`

// The disk is full on which a new root is to be kept. The mesh goes on with the old root, the reason is told, and the new
// root signs within two minutes (a failed attempt is repeated each minute at last) once there is room.
func TestFullDiskForANewRoot(t *testing.T) {
	t.Parallel()
	onDisks(t, 6, func(t *testing.T, folder string, d *disk) {
		all := join(t, nodes(t, folder), d.Sidecar)
		all.hasAll(t, folder)
		d.fill(t)
		if err := os.WriteFile(filepath.Join(folder, "root.yaml"), []byte(root), 0o600); err != nil {
			t.Fatal(err)
		}
		within(t, recovery, "it is told that the disk is full", func() bool { return strings.Contains(d.Said(), d.full) })
		all.hasAll(t, folder)
		old := all.secrets()
		d.free(t)
		within(t, 4*recovery, "the new root signs, and all have certificates of it", func() bool {
			signer, err := os.ReadFile(filepath.Join(d.Authority, "fsm-system", "next", "ca.crt"))
			return err == nil && len(signer) > 0 && all.renewed(old)
		})
		all.hasAll(t, folder)
		d.nothingIsLeft(t)
	})
}

// secrets are the versions of the certificates of all.
func (f fleet) secrets() map[string]string {
	versions := map[string]string{}
	for node, s := range f {
		versions[node] = s.SecretVersions()["service-cert"]
	}
	return versions
}

// renewed says whether each has another certificate than before.
func (f fleet) renewed(before map[string]string) bool {
	for node, version := range f.secrets() {
		if version == before[node] {
			return false
		}
	}
	return true
}

// The disk is full before there is an authority. The control plane ends with that reason within 30 seconds, and leaves nothing
// that keeps it from starting when there is room.
func TestFullDiskBeforeTheFirstStart(t *testing.T) {
	t.Parallel()
	onDisks(t, 7, func(t *testing.T, folder string, d *disk) {
		second := place(t, folder) // on the same disk
		second.Out, second.Authority = filepath.Join(d.folder, "second-out"), filepath.Join(d.folder, "second-ca")
		d.fill(t)
		process, err := controlplane.Begin(second, d.command(second))
		if err != nil {
			t.Fatal(err)
		}
		ends(t, process)
		if serves(t, process) || !strings.Contains(process.Said(), d.full) {
			t.Fatalf("with a full disk it says %s", process.Said())
		}
		d.free(t)
		start(t, second)
		all := join(t, nodes(t, folder), second.Sidecar)
		all.hasAll(t, folder)
		leftovers(t, second.Authority)
	})
}
