// Command fsm-demo is every program of the bookstore demo. The first argument says which; called by the name of a program, it is that one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // Who asks a second time does not want to wait.
	code := execute(ctx, os.Args, world{out: os.Stdout, err: os.Stderr, getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// A world is what a program touches outside of itself, besides the network.
type world struct {
	out, err io.Writer
	getenv   func(string) string
}

// A program reads its arguments and runs until ctx ends.
type program struct {
	name, about string
	run         func(ctx context.Context, name string, args []string, w world) error
}

func programs() []program {
	return []program{
		{"bookbuyer", "buys books from the bookstore, and counts who sold them", customerProgram},
		{"bookthief", "does the same without a right to", customerProgram},
		{"bookstore", "sells books, and restocks from bookwarehouse", bookstoreProgram},
		{"bookwarehouse", "restocks bookstores, and keeps count in a MySQL database", bookwarehouseProgram},
		{"mysql", "is that database: embedded, or one that is installed", mysqlProgram},
		{"table", "shows who calls whom, from the journals of the others", tableProgram},
	}
}

// execute runs the program that the arguments name and returns the exit code: 0 done, 1 failed, 2 not understood.
func execute(ctx context.Context, args []string, w world) int {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	args = args[1:]
	chosen := find(name)
	if chosen == nil && len(args) > 0 {
		name, args = args[0], args[1:]
		chosen = find(name)
	}
	if chosen == nil {
		usage(w.err)
		if name == "help" || name == "-h" || name == "--help" {
			return 0
		}
		return 2
	}
	err := chosen.run(ctx, name, args, w)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	_, _ = fmt.Fprintf(w.err, "fsm-demo %s: %v\n", name, err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

func find(name string) *program {
	for _, p := range programs() {
		if p.name == name {
			return &p
		}
	}
	return nil
}

func usage(out io.Writer) {
	text := "fsm-demo runs one program of the bookstore demo.\n\nUsage:\n  fsm-demo PROGRAM [flags]\n\nPrograms:\n"
	for _, p := range programs() {
		text += fmt.Sprintf("  %-14s %s\n", p.name, p.about)
	}
	_, _ = io.WriteString(out, text+"\nfsm-demo PROGRAM --help lists the flags of one.\n")
}

// logger logs to stderr; stdout is the journal's.
func logger(w world, name string) *slog.Logger {
	return slog.New(slog.NewTextHandler(w.err, nil)).With("program", name)
}
