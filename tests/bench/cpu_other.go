//go:build !unix

package main

import (
	"os"
	"time"
)

var began = time.Now()

// cpuTime is the time that has passed: on an idle machine, and with one processor, that comes near.
func cpuTime() time.Duration { return time.Since(began) }

// peakOf is not known.
func peakOf(*os.ProcessState) uint64 { return 0 }
