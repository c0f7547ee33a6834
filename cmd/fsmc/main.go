// Command fsmc compiles manifests into the configuration of every sidecar, without a cluster.
package main

import (
	"context"
	"os"
	"time"
)

// version is set by the build (-ldflags "-X main.version=…").
var version = "dev"

func main() {
	os.Exit(execute(context.Background(), os.Args[1:], world{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: time.Now, spare: reserveSize}))
}
