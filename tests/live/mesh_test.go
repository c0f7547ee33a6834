//go:build linux

package live

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// mesh is a mesh that runs from manifests that can be edited.
type mesh struct {
	*local.Door
	*manifests
	control
	process *process
}

// up runs a copy of manifests as a mesh that serves itself.
func up(t *testing.T, folder string) *mesh {
	t.Helper()
	m := &mesh{manifests: copied(t, folder), control: control(freeAddress(t))}
	m.run(t, "--enable-debug-server", "--debug-address", string(m.control))
	m.settle(t, 0)
	return m
}

// run begins the mesh. At the end of the test, Ctrl-C must end it well.
func (m *mesh) run(t *testing.T, flags ...string) {
	t.Helper()
	name := fmt.Sprintf("live-%d-%d", os.Getpid(), time.Now().UnixNano())
	m.process = begin(t, "up: ", append([]string{"up", m.folder, "--name", name}, flags...)...)
	var err error
	if m.Door, err = local.Open(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.process.end(syscall.SIGINT)
		if code := m.process.command.ProcessState.ExitCode(); code != 0 {
			t.Errorf("Ctrl-C ends it with %d", code)
		}
	})
}

// runs runs a command in a pod, and returns what it wrote.
func (m *mesh) runs(t *testing.T, pod string, command ...string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	wrote := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		wrote <- string(text)
	}()
	e := local.Execution{Namespace: "shop", Pod: pod, Arguments: command, Environment: os.Environ(), Folder: "/"}
	_, err = m.Execute(t.Context(), e, [3]*os.File{nothing, w, w}, nil)
	_, _ = w.Close(), nothing.Close()
	text := <-wrote
	_ = r.Close()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// stats are the counters of a pod's sidecar.
func (m *mesh) stats(t *testing.T, pod string) map[string]int {
	t.Helper()
	return numbers(m.runs(t, pod, "curl", "-s", "localhost:15000/stats"), ": ")
}

// pods are the pods that run.
func (m *mesh) pods(t *testing.T) []string {
	t.Helper()
	all, err := m.Pods(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Pod)
	}
	return names
}

// numbers are the numbers of a text with a name and a number in each line.
func numbers(text, between string) map[string]int {
	found := map[string]int{}
	for line := range strings.Lines(text) {
		i := strings.LastIndex(line, between)
		if i < 0 {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(line[i+len(between):]), 64); err == nil {
			found[line[:i]] = int(n)
		}
	}
	return found
}

// control is the address of a control plane's debug server.
type control string

// ask reads a page; it is empty while nobody answers.
func (c control) ask(path string) []byte {
	response, err := http.Get("http://" + string(c) + path)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil
	}
	return text
}

// metrics are the metrics of the control plane.
func (c control) metrics() map[string]int { return numbers(string(c.ask("/metrics")), " ") }

// rounds is how many states have been published.
func (c control) rounds() int { return c.metrics()[`fsm_step_seconds_count{step="publish"}`] }

// proxy is a row of the page of proxies.
type proxy struct {
	ID        struct{ Namespace, Name string } `json:"id"`
	Connected bool                             `json:"connected"`
	Settled   bool                             `json:"settled"`
	Since     time.Time                        `json:"since"`
}

// settled says whether every proxy has acknowledged everything.
func (c control) settled() bool {
	var all []proxy
	if json.Unmarshal(c.ask("/debug/proxies?format=json"), &all) != nil || len(all) == 0 {
		return false
	}
	for _, p := range all {
		if !p.Connected || !p.Settled {
			return false
		}
	}
	return true
}

// settle waits until more rounds than some are published, nothing waits, and all proxies have acknowledged everything.
func (c control) settle(t *testing.T, rounds int) time.Time {
	t.Helper()
	within(t, 20*time.Second, "all sidecars have acknowledged", func() bool {
		now := c.metrics()
		return now[`fsm_step_seconds_count{step="publish"}`] > rounds && now["fsm_events_queued"] == 0 && c.settled()
	})
	return time.Now()
}

// manifests are a folder of manifests that are edited.
type manifests struct{ folder string }

// copied copies a folder of testdata.
func copied(t *testing.T, folder string) *manifests {
	t.Helper()
	m := &manifests{t.TempDir()}
	if err := os.CopyFS(m.folder, os.DirFS(filepath.Join("testdata", folder))); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *manifests) read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.folder, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes a file as an editor does: another one is put in its place.
func (m *manifests) write(t *testing.T, file, text string) {
	t.Helper()
	whole := filepath.Join(m.folder, file)
	err := os.WriteFile(whole+"~", []byte(text), 0o644)
	if err == nil {
		err = os.Rename(whole+"~", whole)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// overwrite writes into the file that is there.
func (m *manifests) overwrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.folder, file), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// edit replaces a text that a file must have.
func (m *manifests) edit(t *testing.T, file, from, to string) {
	t.Helper()
	text := m.read(t, file)
	if !strings.Contains(text, from) {
		t.Fatalf("%s has no %q", file, from)
	}
	m.write(t, file, strings.ReplaceAll(text, from, to))
}

// add adds documents to a file.
func (m *manifests) add(t *testing.T, file, documents string) {
	t.Helper()
	m.write(t, file, m.read(t, file)+"\n---\n"+documents)
}

// remove removes documents that were added.
func (m *manifests) remove(t *testing.T, file, documents string) {
	t.Helper()
	m.edit(t, file, "\n---\n"+documents, "")
}
