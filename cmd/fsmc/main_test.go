package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fsmc": main})
}

// TestScripts runs the command as a user does. Every script finds a small mesh without a fault in the folder shop.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("FSMC_UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			fsmc, err := exec.LookPath("fsmc")
			if err != nil {
				return err
			}
			env.Setenv("FSMC", fsmc)
			return os.CopyFS(filepath.Join(env.WorkDir, "shop"), os.DirFS("testdata/shop"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code,
			"mode": mode,
			"has":  has,
		},
	})
}

// code runs a command and wants just this exit code: code 2 fsmc compile nowhere.
func code(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	if got := exitCode(err); got != args[0] {
		ts.Fatalf("the exit code is %s, not %s", got, args[0])
	}
}

// mode wants a file to have just these permissions: mode 0600 out/key.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	stat, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := "0" + octal(stat.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, not %s", args[1], got, args[0])
	}
}

// has wants a folder to hold just these files: has out a b/c.
func has(ts *testscript.TestScript, _ bool, args []string) {
	if diff := compareFiles(ts.MkAbs(args[0]), args[1:]); diff != "" {
		ts.Fatalf("%s", diff)
	}
}
