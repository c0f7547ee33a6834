package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// remote is the process of the proxies.
type remote struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func newRemote(c crew) (*remote, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &remote{command: exec.Command(self, "-child", proxiesChild)}
	r.command.Stderr = os.Stderr
	r.command.Env = append(os.Environ(), "FSMC_BENCH_CHILD="+proxiesChild)
	if r.in, err = r.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReaderSize(out, 1<<20)
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	return r, json.NewEncoder(r.in).Encode(c)
}

// ask says a word to the proxies and waits until it is done.
func (r *remote) ask(word string) (report, error) {
	if _, err := io.WriteString(r.in, word+"\n"); err != nil {
		return report{}, fmt.Errorf("%s: %w", word, err)
	}
	text, err := r.out.ReadBytes('\n')
	if err != nil {
		return report{}, fmt.Errorf("%s: %w", word, err)
	}
	var told report
	if err := json.Unmarshal(text, &told); err != nil {
		return report{}, fmt.Errorf("%s: %w", word, err)
	}
	if told.Failed != "" {
		return told, fmt.Errorf("%s: %s", word, told.Failed)
	}
	return told, nil
}

func (r *remote) close() {
	_ = r.in.Close()
	_ = r.command.Wait()
}
