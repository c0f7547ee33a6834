package table

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

// A Follower reads journals below a folder as they grow.
type Follower struct {
	folder string
	files  map[string]*journal
}

type journal struct {
	reader *bufio.Reader
	// rest is a line whose end has not been written yet.
	rest string
}

// Follow returns a follower of every file below a folder. Lines that are no calls are passed over.
func Follow(folder string) *Follower {
	return &Follower{folder: folder, files: map[string]*journal{}}
}

// Read gives every call that was written since the last time to add. Files that have just appeared are found too.
func (f *Follower) Read(add func(calls.Call)) error {
	err := filepath.WalkDir(f.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || f.files[path] != nil {
			return err
		}
		file, err := os.Open(path) // #nosec G304 -- the folder is the user's own choice
		if err == nil {
			f.files[path] = &journal{reader: bufio.NewReader(file)}
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, j := range f.files {
		j.read(add)
	}
	return nil
}

func (j *journal) read(add func(calls.Call)) {
	for {
		text, err := j.reader.ReadString('\n')
		j.rest += text
		if err != nil {
			if !errors.Is(err, io.EOF) {
				j.rest = ""
			}
			return
		}
		var call calls.Call
		if line := strings.TrimSpace(j.rest); strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &call) == nil && call.From != "" && call.Verdict != "" {
			add(call)
		}
		j.rest = ""
	}
}
