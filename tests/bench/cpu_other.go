//go:build !unix

package main

import "time"

var began = time.Now()

// cpuTime is the time that has passed: on an idle machine, and with one processor, that comes near.
func cpuTime() time.Duration { return time.Since(began) }
