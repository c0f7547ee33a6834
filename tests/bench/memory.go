package main

import (
	"bufio"
	"bytes"
	"os"
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
