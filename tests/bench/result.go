package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// result is what is kept of a family's run.
type result struct {
	Machine machine `json:"machine"`
	// Commit is what was measured; it ends in -dirty when there were changes beside it.
	Commit  string `json:"commit"`
	Command string `json:"command"`
	// Date is as the caller has given it.
	Date string            `json:"date"`
	Rows []json.RawMessage `json:"rows"`
}

// machine is where it was measured.
type machine struct {
	Processor string `json:"processor"`
	CPUs      int    `json:"cpus"`
	Memory    string `json:"memory"`
	Platform  string `json:"platform"`
	Go        string `json:"go"`
	GRPC      string `json:"grpc,omitempty"`
}

func thisMachine() machine {
	return machine{
		Processor: valueIn("/proc/cpuinfo", "model name"), CPUs: runtime.NumCPU(), Memory: valueIn("/proc/meminfo", "MemTotal"),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), GRPC: versionOf("google.golang.org/grpc"),
	}
}

// valueIn is the first value of a key in a file of lines of the form key: value; empty where there is none.
func valueIn(path, key string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// versionOf is the version of a module that this program is linked with.
func versionOf(module string) string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, d := range build.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return ""
}

// keep writes the result of a family to the folder.
func keep(folder, family string, r result) error {
	r.Machine = thisMachine()
	commit, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return fmt.Errorf("keep the results of %s: %w", family, err)
	}
	r.Commit = strings.TrimSpace(string(commit))
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the results of %s: %w", family, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, family+".json"), append(text, '\n'), 0o644)
}

// kept reads the result of a family, with its rows; ok is false when there is none.
func kept[T any](folder, family string) (r result, rows []T, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(folder, family+".json"))
	if os.IsNotExist(err) {
		return result{}, nil, false, nil
	}
	if err != nil {
		return result{}, nil, false, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return result{}, nil, false, fmt.Errorf("results of %s: %w", family, err)
	}
	for _, line := range r.Rows {
		var row T
		if err := json.Unmarshal(line, &row); err != nil {
			return result{}, nil, false, fmt.Errorf("results of %s: %w", family, err)
		}
		rows = append(rows, row)
	}
	return r, rows, true, nil
}
