package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/disk"
)

// bootstraps are what sidecars start with, and the certificates of their streams, in a folder.
type bootstraps struct {
	folder string
	from   compiler.ControlPlane
	issuer sinks.Issuer
	// trust is the trust bundle, and which part of it signs now.
	trust    func() (bundle, signer []byte, err error)
	validity func() time.Duration
	now      func() time.Time
	// again asks for another round, after a failure.
	again func()

	// written is what the folder was last written for.
	written string
	at      time.Time
}

// rewrite is how often certificates are looked at that nothing else has changed, at the least, writeAgain how long after a
// failure, such as a full disk, it is tried again.
const (
	rewrite    = 10 * time.Minute
	writeAgain = 10 * time.Second
)

// rewriteAfter is how often certificates of a validity are looked at: a third of their time is left when they are replaced.
func rewriteAfter(validity time.Duration) time.Duration { return min(rewrite, validity/10) }

// write brings the folder to the state of a snapshot, if there is something new in it: another proxy, other roots, or
// certificates that are old by now. Proxies that the snapshot does not have are kept.
func (b *bootstraps) write(ctx context.Context, s sinks.Snapshot, kept []model.ProxyID) error {
	bundle, signer, err := b.trust()
	if err != nil {
		return err
	}
	state := b.state(s, kept, bundle, signer)
	if state == b.written && b.now().Sub(b.at) < rewriteAfter(b.validity())/2 {
		return nil
	}
	sink := disk.Sink{Folder: b.folder, ControlPlane: &b.from, Keep: kept, Credentials: &disk.Credentials{
		Issuer: b.issuer, Trust: bundle, Signer: signer, Validity: b.validity(), Now: b.now,
	}}
	if err := sink.Publish(ctx, s); err != nil {
		time.AfterFunc(writeAgain, b.again)
		return fmt.Errorf("write into %s: %w", b.folder, err)
	}
	b.written, b.at = state, b.now()
	return nil
}

// state is what the folder depends on.
func (b *bootstraps) state(s sinks.Snapshot, kept []model.ProxyID, bundle, signer []byte) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\n%s\n%s\n%v\n", s.Mesh.Settings().TrustDomain, bundle, signer, kept)
	for class := range s.Output.Classes.Values() {
		for id := range class.Proxies.Values() {
			_, _ = fmt.Fprintf(h, "%s %s\n", id, class.Identity)
		}
	}
	return string(h.Sum(nil))
}
