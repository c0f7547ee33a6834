package compiler

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// A failed check prints a seed that repeats it; a file under testdata, where every folder is a case, would be in the way.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
