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

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
)

// small is a control plane whose folders are on a disk of their own, which is small and nobody else sees.
type small struct {
	controlplane.Place
	*controlplane.Process
	// inside is the disk from here.
	inside string
}

// diskScript mounts the disk, and becomes the control plane once the file is there that says so.
const diskScript = `mount -t tmpfs -o size=1m none "$1" || exit 77
echo mounted
while ! [ -e "$1/go" ]; do sleep 0.02; done
rm "$1/go"
shift
exec "$@"`

// mount begins a control plane on a small disk.
func mount(t *testing.T, folder string) *small {
	t.Helper()
	disk := t.TempDir()
	p := place(t, folder)
	p.Out, p.Authority = filepath.Join(disk, "out"), filepath.Join(disk, "ca")
	c := exec.Command("sh", append([]string{"-c", diskScript, "sh", disk, p.Program}, p.Arguments()...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	process, err := controlplane.Begin(p, c)
	if err != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC)) {
		t.Skipf("this system does not let this user make namespaces: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ends(t, process)
	s := &small{Place: p, Process: process, inside: fmt.Sprintf("/proc/%d/root%s", process.ID(), disk)}
	within(t, recovery, "the disk is there", func() bool {
		select {
		case <-process.Exited():
			t.Skipf("this system does not let this user mount a tmpfs: %s", process.Said())
		default:
		}
		return strings.Contains(process.Said(), "mounted")
	})
	s.Out, s.Authority = s.inside+"/out", s.inside+"/ca" // as they are seen from here
	return s
}

// begin has the control plane start.
func (s *small) begin(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(s.inside+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// fill leaves no room on the disk.
func (s *small) fill(t *testing.T) {
	t.Helper()
	f, err := os.Create(s.inside + "/filling")
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

// free makes room again.
func (s *small) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(s.inside + "/filling"); err != nil {
		t.Fatal(err)
	}
}

const full = "no space left on device"

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
	folder, _ := manifests(t, 10, 5)
	s := mount(t, folder)
	s.begin(t)
	within(t, recovery, "it serves", func() bool { return strings.Contains(s.Said(), "serving:") })
	known := nodes(t, folder)
	all := join(t, known, s.Sidecar)
	all.hasAll(t, folder)
	s.fill(t)
	if err := os.WriteFile(filepath.Join(folder, "late.yaml"), []byte(late), 0o600); err != nil {
		t.Fatal(err)
	}
	within(t, recovery, "it is told that the disk is full", func() bool { return strings.Contains(s.Said(), full) })
	want := whole(t, folder)
	within(t, recovery, "who runs is served", func() bool {
		for _, node := range known {
			if len(all[node].Has()) != len(want[node]) || !all[node].Connected() {
				return false
			}
		}
		return true
	})
	s.free(t)
	all["space-0/late-0"] = join(t, []string{"space-0/late-0"}, s.Sidecar)["space-0/late-0"]
	all.hasAll(t, folder)
	all.noRepeats(t)
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
	folder, _ := manifests(t, 10, 6)
	s := mount(t, folder)
	s.begin(t)
	within(t, recovery, "it serves", func() bool { return strings.Contains(s.Said(), "serving:") })
	all := join(t, nodes(t, folder), s.Sidecar)
	all.hasAll(t, folder)
	s.fill(t)
	if err := os.WriteFile(filepath.Join(folder, "root.yaml"), []byte(root), 0o600); err != nil {
		t.Fatal(err)
	}
	within(t, recovery, "it is told that the disk is full", func() bool { return strings.Contains(s.Said(), full) })
	all.hasAll(t, folder)
	s.free(t)
	next := filepath.Join(s.Authority, "fsm-system", "next", "ca.crt")
	within(t, 4*recovery, "the new root is there", func() bool {
		_, err := os.Stat(next)
		return err == nil
	})
	all.hasAll(t, folder)
}

// The disk is full before there is an authority. The control plane ends with that reason, and leaves nothing that keeps it
// from starting when there is room.
func TestFullDiskBeforeTheFirstStart(t *testing.T) {
	t.Parallel()
	folder, _ := manifests(t, 10, 7)
	s := mount(t, folder)
	s.begin(t)
	within(t, recovery, "it serves", func() bool { return strings.Contains(s.Said(), "serving:") })
	// On the same disk, another one.
	other := s.Place
	p := place(t, folder)
	p.Out, p.Authority = filepath.Dir(other.Out)+"/second/out", filepath.Dir(other.Out)+"/second/ca"
	if err := os.Mkdir(filepath.Dir(p.Out), 0o750); err != nil {
		t.Fatal(err)
	}
	s.fill(t)
	_, err := p.Start()
	if err == nil || !strings.Contains(err.Error(), full) {
		t.Fatalf("with a full disk it ends with %v", err)
	}
	s.free(t)
	start(t, p)
	all := join(t, nodes(t, folder), p.Sidecar)
	all.hasAll(t, folder)
}
