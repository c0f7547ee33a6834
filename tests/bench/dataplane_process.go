package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// children are the processes of benchmarks that are no benchmarks, by their name.
func children() map[string]func(io.Reader, io.Writer) error {
	return map[string]func(io.Reader, io.Writer) error{
		proxiesChild: runProxies, siteChild: runSite, loadChild: runLoad, applicationChild: runApplication,
	}
}

// process is one of them: it is told one JSON value after another, and answers each.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

func startProcess(name string, attributes *syscall.SysProcAttr) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &process{command: exec.Command(self, "-child", name)}
	h.command.Stderr, h.command.SysProcAttr = os.Stderr, attributes
	h.command.Env = append(os.Environ(), "FSMC_BENCH_CHILD="+name)
	if h.in, err = h.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.out = json.NewDecoder(out)
	return h, h.command.Start()
}

// reply is an answer, or why there is none.
type reply struct {
	Failed string
	Answer json.RawMessage
}

// ask tells the process something and waits for its answer.
func (h *process) ask(order, answer any) error {
	if err := json.NewEncoder(h.in).Encode(order); err != nil {
		return err
	}
	var r reply
	if err := h.out.Decode(&r); err != nil {
		return fmt.Errorf("the process %s does not answer: %w", h.command.Args[2], err)
	}
	if r.Failed != "" {
		return errors.New(r.Failed)
	}
	return json.Unmarshal(r.Answer, answer)
}

// close ends the process, which ends when nobody tells it anything any more.
func (h *process) close() error { return errors.Join(h.in.Close(), h.command.Wait()) }

// answering answers each order from a reader until there is none left.
func answering[T any](in io.Reader, out io.Writer, answer func(T) (any, error)) error {
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var order T
		if err := decoder.Decode(&order); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var r reply
		value, err := answer(order)
		if err == nil {
			r.Answer, err = json.Marshal(value)
		}
		if err != nil {
			r.Failed = err.Error()
		}
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
}
