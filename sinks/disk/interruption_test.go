package disk

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A process that writes two meshes in turns is killed at random moments. Whenever it dies, each file must be the old one
// or the new one, and the next run must bring everything in order.
func TestAKilledRunLeavesEachFileOldOrNew(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "out")
	few, many := shop(t, 2), shop(t, 25)
	old, young := expected(t, few), expected(t, many)
	credentials := newCredentials(t)
	if err := os.Mkdir(folder, 0o755); err != nil { // The first process may die before it does.
		t.Fatal(err)
	}

	interrupted := 0
	for round := range 30 {
		kill(t, folder, time.Duration(rand.IntN(60_000))*time.Microsecond)
		files := contents(t, folder)
		if len(files) == 0 {
			continue
		}
		if strings.HasPrefix(files[".fsmc"], indexTitle+stateOpen) {
			interrupted++
		}
		for file, text := range files {
			if strings.HasSuffix(file, temporary) || !strings.HasSuffix(file, ".yaml") {
				continue
			}
			if text != old[file] && text != young[file] {
				t.Fatalf("round %d: %s is neither old nor new: %s", round, file, cmp.Diff(old[file], text))
			}
		}
		sink := &Sink{Folder: folder, Credentials: credentials}
		wanted := few
		if round%2 == 0 {
			wanted = many
		}
		write(t, sink, wanted)
		assertTree(t, folder, wanted)
		for proxy := range wanted.Mesh.Proxies() {
			assertPairs(t, sink, proxy.ID.Name)
		}
	}
	t.Logf("%d of the runs were interrupted while they wrote", interrupted)
}

const childFolder = "FSMC_TEST_WRITE_INTO"

// kill starts a process that writes into the folder until it is killed, which is after the given time.
func kill(t *testing.T, folder string, after time.Duration) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestWriteUntilKilled$")
	child.Env = append(os.Environ(), childFolder+"="+folder)
	ready, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = ready.Read(make([]byte, 1))
	time.Sleep(after)
	_ = child.Process.Kill()
	_ = child.Wait()
}

// TestWriteUntilKilled is the process that kill starts; on its own it does nothing.
func TestWriteUntilKilled(t *testing.T) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		return
	}
	few, many := shop(t, 2), shop(t, 25)
	_, _ = os.Stdout.WriteString("ready")
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		// A new authority each time, so that certificates are written as well.
		sink := &Sink{Folder: folder, Credentials: newCredentials(t)}
		write(t, sink, many)
		write(t, sink, few)
	}
}
