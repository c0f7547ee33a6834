package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources/certs/tresor"
)

var buyer = model.Identity{Namespace: "bookstore", ServiceAccount: "bookbuyer"}

func TestACertificateIsRenewedBeforeItEnds(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var told int
		k := NewKeeper(Options{
			Open:    func(context.Context, model.Root, int) (Authority, error) { return tresor.Open(folder, 0, time.Now) },
			Changed: func(ids []model.Identity, trust bool) { told += len(ids) },
		})
		k.Apply(ctx, model.Settings{TrustDomain: "cluster.local"}, []model.Identity{buyer})
		go k.Run(ctx)
		chain, key, err := k.Certificate(ctx, buyer)
		if err != nil || len(k.Trust()) == 0 {
			t.Fatal(err)
		}
		if _, err := tls.X509KeyPair(chain, key.PEM()); err != nil {
			t.Error(err)
		}
		time.Sleep(24 * time.Hour)
		again, _, err := k.Certificate(ctx, buyer)
		if err != nil || bytes.Equal(chain, again) || told != 1 {
			t.Errorf("%v told %d", err, told)
		}
		cancel()
	})
}
