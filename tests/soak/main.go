package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	o := options{}
	var path string
	flag.DurationVar(&o.during, "for", 30*time.Minute, "how long")
	flag.Uint64Var(&o.seed, "seed", 1, "the same seed makes the same edits")
	flag.IntVar(&o.streams, "streams", 200, "how many simulated sidecars are connected at any time, at least")
	flag.Float64Var(&o.rate, "rate", 10, "edits a second")
	flag.BoolVar(&o.envoys, "envoys", true, "run the shop with real Envoys ($FSMC_ENVOY) under load")
	flag.StringVar(&o.program, "fsmc", "", "the `PROGRAM` to soak (default: it is built)")
	flag.StringVar(&o.profiles, "profiles", "", "keep a heap profile of the server at each rest in a `FOLDER`")
	flag.StringVar(&path, "json", "", "write the report to a `FILE` as well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, path); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run soaks, prints the report, and keeps it as JSON if there is a path.
func run(ctx context.Context, o options, path string) (err error) {
	if o.during <= 0 || o.rate <= 0 || o.streams < 0 {
		return errors.New("-for and -rate must be more than nothing, and -streams not less")
	}
	o.folder, err = os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.folder)) }()
	if o.program == "" {
		if o.program, err = build(o.folder); err != nil {
			return err
		}
	}
	fmt.Printf("seed %d, for %s\n", o.seed, o.during)
	r, err := soak(ctx, o)
	if err != nil {
		return err
	}
	fmt.Print(r)
	if path != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if len(r.Faults) > 0 {
		return fmt.Errorf("%d faults", len(r.Faults))
	}
	return nil
}

// build builds fsmc into a folder.
func build(folder string) (string, error) {
	program := filepath.Join(folder, "fsmc")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/flomesh-io/fsmc/cmd/fsmc").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build fsmc: %w\n%s", err, out)
	}
	return program, nil
}
