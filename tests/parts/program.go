package parts

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// WithProgram runs the tests of a package with the path of fsmc in program: $FSMC_TEST_PROGRAM, for users who cannot build
// it, or one that is built and removed afterwards. It returns the exit code. Other users can get to the program.
func WithProgram(m *testing.M, program *string) int {
	if *program = os.Getenv("FSMC_TEST_PROGRAM"); *program != "" {
		return m.Run()
	}
	top, err := root()
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "fsmc-test-")
	if err == nil {
		err = os.Chmod(folder, 0o755) // #nosec G302 -- sidecars run as another user
	}
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	*program = filepath.Join(folder, "fsmc")
	build := exec.Command("go", "build", "-o", *program, "./cmd/fsmc")
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build fsmc: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Output is what a process writes, to be read while it does. The zero value is empty.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is what was written until now.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
