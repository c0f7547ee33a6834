//go:build ignore

// This program writes the page of the metrics to the path that it is given.
package main

import (
	"log"
	"os"

	"github.com/flomesh-io/fsmc/sinks/metrics"
)

func main() {
	if err := os.WriteFile(os.Args[1], []byte(metrics.Page()), 0o644); err != nil {
		log.Fatal(err)
	}
}
