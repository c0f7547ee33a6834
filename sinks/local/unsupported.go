//go:build !linux

package local

import (
	"context"
	"errors"
	"os"

	"github.com/flomesh-io/fsmc/verdict"
)

// errLinux is what everything comes to elsewhere.
var errLinux = errors.New("the local mesh needs Linux: its pods are network namespaces")

// InsideArgument is the first argument of the inner process.
const InsideArgument = "inside"

// Inside is the inner process.
func Inside() error { return errLinux }

// Start brings the plan to life.
func Start(context.Context, Plan, Options) (*Mesh, error) { return nil, errLinux }

// Open finds a mesh that runs.
func Open(string) (*Door, error) { return nil, errLinux }

// NewScratch makes a folder for the time that this process lives.
func NewScratch() (*Scratch, error) { return nil, errLinux }

// Mesh is a mesh that runs.
type Mesh struct{ *Door }

// Apply brings the mesh to another plan.
func (*Mesh) Apply(context.Context, Plan) error { return errLinux }

// Ended is closed when the mesh has ended.
func (*Mesh) Ended() <-chan struct{} { return nil }

// Err says why the mesh has ended.
func (*Mesh) Err() error { return errLinux }

// Close ends the mesh.
func (*Mesh) Close() {}

// Door is where a mesh that runs is asked.
type Door struct{}

// Ask makes one request in the name of a pod.
func (*Door) Ask(context.Context, verdict.Question) (verdict.Answer, error) {
	return verdict.Answer{}, errLinux
}

// Pods says how the pods are.
func (*Door) Pods(context.Context) ([]Status, error) { return nil, errLinux }

// Load makes a load in the name of a pod.
func (*Door) Load(context.Context, Load, func([]Outcome)) (Report, error) { return Report{}, errLinux }

// Execute runs a program in a pod.
func (*Door) Execute(context.Context, Execution, [3]*os.File, <-chan os.Signal) (int, error) {
	return 0, errLinux
}

// Scratch is a folder for the time that a process lives.
type Scratch struct{ Folder string }

// Make makes a folder in it.
func (*Scratch) Make(string) (string, error) { return "", errLinux }

// Open lets files that this process makes from now on be read by everybody.
func (*Scratch) Open() {}

// Remove removes it.
func (*Scratch) Remove() error { return nil }
