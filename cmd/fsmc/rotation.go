package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/flomesh-io/fsmc/sources/certs"
)

// rotation keeps where the replacement of roots stands beside the authorities, so that a control plane that starts again
// goes on: proxies may still have certificates of a root that the manifests do not name any more.
type rotation struct {
	file string

	mu    sync.Mutex
	saved string
}

// read is where it stood; the zero State when that is not known.
func (r *rotation) read() certs.State {
	var state certs.State
	text, err := os.ReadFile(r.file)
	if err != nil || json.Unmarshal(text, &state) != nil {
		return certs.State{}
	}
	return state
}

// save notes where it stands. The file is the old one or the new one at every moment.
func (r *rotation) save(state certs.State) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if string(text) == r.saved {
		return nil
	}
	if err := errors.Join(os.WriteFile(r.file+".new", text, 0o600), os.Rename(r.file+".new", r.file)); err != nil {
		if _, none := os.Stat(filepath.Dir(r.file)); errors.Is(none, fs.ErrNotExist) {
			return nil // nothing was ever certified here
		}
		return err
	}
	r.saved = string(text)
	return nil
}
