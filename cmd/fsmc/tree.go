package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/disk"
	"github.com/flomesh-io/fsmc/sources/certs/tresor"
)

// treeFlags say where a tree of files goes, and who certifies the proxies in it.
type treeFlags struct {
	out   string
	certs *choice
	caDir string
}

// addTree adds the flags of a tree to a command.
func addTree(c *cobra.Command) *treeFlags {
	t := &treeFlags{}
	c.Flags().StringVarP(&t.out, "output", "o", "", "write a tree of files into `DIR`")
	t.certs = choose(c, "certs", "who certifies the proxies; none leaves them out, and writes the rest", "tresor", "none")
	c.Flags().StringVar(&t.caDir, "ca-dir", "", "keep the certificate authority in `DIR` (default: the folder of -o with -ca added)")
	return t
}

// authority is the folder that the certificate authority is kept in.
func (t *treeFlags) authority() string {
	if t.caDir != "" {
		return t.caDir
	}
	folder := filepath.Clean(t.out)
	if base := filepath.Base(folder); base == "." || base == ".." {
		folder = whole(folder) // There is a name to add to in the whole path only.
	}
	return folder + "-ca"
}

// wanted says whether a tree is asked for. What is only for a tree is refused without one.
func (t *treeFlags) wanted(c *cobra.Command) (bool, error) {
	if t.out != "" {
		return true, nil
	}
	if c.Flags().Changed("output") {
		return false, usage(c, "-o needs the name of a folder, and got none")
	}
	for _, name := range []string{"certs", "ca-dir"} {
		if c.Flags().Changed(name) {
			return false, usage(c, "--%s needs -o: there is no place for certificates", name)
		}
	}
	return false, nil
}

// check refuses folders that cannot be written, or that would get into each other's way.
func (t *treeFlags) check(c *cobra.Command, paths []string) error {
	if _, inside := relative(t.authority(), t.out); inside {
		return usage(c, "the certificate authority cannot be kept in %s, whose files come and go: name another --ca-dir", t.out)
	}
	for _, path := range paths {
		if isRead(t.out, path) {
			return usage(c, "%s is in %s, where its files would be read as manifests the next time: name another folder", t.out, path)
		}
	}
	sink := disk.Sink{Folder: t.out}
	if err := sink.Check(c.Context()); err != nil {
		return fmt.Errorf("cannot write into %s: %w", t.out, err)
	}
	return nil
}

// write brings the tree to the state of the snapshot.
func (t *treeFlags) write(ctx context.Context, snapshot sinks.Snapshot, chosen func(model.ProxyID) bool, w world, p *progress) (disk.Report, error) {
	sink := disk.Sink{Folder: t.out, Chosen: chosen, Progress: p.count}
	if t.certs.value == "tresor" {
		authority, err := tresor.Open(t.authority(), snapshot.Mesh.Settings().ControlPlane.KeyBits, w.now)
		if err != nil {
			return disk.Report{}, err
		}
		sink.Credentials = &disk.Credentials{Issuer: authority, Trust: authority.Trust(), Validity: validity, Now: w.now}
	}
	p.doing("writing files")
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	report, err := sink.Write(ctx, snapshot)
	if err != nil {
		return disk.Report{}, fmt.Errorf("write into %s: %w", t.out, err)
	}
	return report, nil
}

// untilInterrupted ends the context when the user interrupts, for work that has something to tidy up. Elsewhere the
// program ends on the spot.
func untilInterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// isRead says whether the files of a folder are read when a path is: the reader passes over names that begin with a dot.
func isRead(folder, path string) bool {
	if stat, err := os.Stat(path); err != nil || !stat.IsDir() {
		return false
	}
	name, inside := relative(folder, path)
	return inside && (name == "." || !strings.Contains("/"+filepath.ToSlash(name), "/."))
}

// relative is the path as seen from a folder, and whether it is in the folder or the folder itself.
func relative(path, folder string) (string, bool) {
	name, err := filepath.Rel(whole(folder), whole(path))
	return name, err == nil && filepath.IsLocal(name)
}

// whole is the absolute path without links, as far as the path exists.
func whole(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for at := absolute; at != filepath.Dir(at); at = filepath.Dir(at) {
		if resolved, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(resolved, rest)
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
	return absolute
}
