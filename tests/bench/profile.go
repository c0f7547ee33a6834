package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
)

// profiler returns what profiles a stage of a mesh into files of the directory, if there is one.
func profiler(directory, mesh string) func(stage string, run func()) error {
	return func(stage string, run func()) error {
		if directory == "" {
			return nil
		}
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
		name := strings.ReplaceAll(mesh, "/", "-") + "." + stage
		return writeProfiles(filepath.Join(directory, name), run)
	}
}

// writeProfiles runs for some seconds under the one profiler and once under the other, and writes NAME.cpu.pprof and
// NAME.allocs.pprof.
func writeProfiles(name string, run func()) error {
	cpu, err := os.Create(name + ".cpu.pprof")
	if err != nil {
		return err
	}
	defer func() { _ = cpu.Close() }()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	for start := cpuTime(); (cpuTime() - start).Seconds() < 5; {
		run()
	}
	pprof.StopCPUProfile()
	return writeAllocations(name+".allocs.pprof", run)
}

// writeAllocations samples what run allocates. The file of a later stage holds those before it as well.
func writeAllocations(path string, run func()) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	const bytesPerSample = 4096
	runtime.MemProfileRate = bytesPerSample
	run()
	runtime.MemProfileRate = 0
	runtime.GC() // or the profile lacks what was allocated last
	return pprof.Lookup("allocs").WriteTo(file, 0)
}

// whole profiles the CPU time from now to when the function that it returns is called, if there is a directory for it.
func whole(directory, name string) (end func(), err error) {
	if directory == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(directory, strings.ReplaceAll(name, "/", "-")+".cpu.pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}
