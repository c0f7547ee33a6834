package compiler

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"testing"
)

// checks is how many random meshes a property is tried on; RAPID_CHECKS asks for more.
const checks = "50"

// A failed check prints a seed that repeats it. A file of it under testdata, where every folder is a case, would be in
// the way.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"rapid.checks":     cmp.Or(os.Getenv("RAPID_CHECKS"), checks),
		"rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}
