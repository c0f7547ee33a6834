package main

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
)

// peakMemory is the high-water mark of this process's resident memory, as Linux keeps it; 0 elsewhere. (The figure of
// getrusage is of no use here: it begins at the size of the process that started this one.)
func peakMemory() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		if fields := bytes.Fields(lines.Bytes()); len(fields) == 3 && string(fields[0]) == "VmHWM:" {
			kilobytes, _ := strconv.ParseUint(string(fields[1]), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// writeProfiles runs once under each profiler, and writes NAME.cpu.pprof and NAME.allocs.pprof.
func writeProfiles(name string, run func()) error {
	cpu, err := os.Create(name + ".cpu.pprof")
	if err != nil {
		return err
	}
	defer cpu.Close()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	for start := cpuTime(); (cpuTime() - start).Seconds() < 5; {
		run()
	}
	pprof.StopCPUProfile()
	return writeAllocations(name+".allocs.pprof", run)
}

// writeAllocations is only about what run allocates: before it, nothing is sampled.
func writeAllocations(path string, run func()) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	runtime.MemProfileRate = 4096
	run()
	runtime.GC()
	err = pprof.Lookup("allocs").WriteTo(file, 0)
	runtime.MemProfileRate = 0
	return err
}
