package main

import (
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
