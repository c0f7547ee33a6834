package main

import (
	"context"
	"sync"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sources/certs/tresor"
)

// identities are the certificates of a benchmark: few identities with many pods each, so that issuing does not dominate.
type identities struct {
	authority   *tresor.Authority
	trustDomain string

	mu    sync.Mutex
	pairs map[model.Identity]certificate
}

// certificate is a certificate and its key.
type certificate struct {
	chain []byte
	key   sinks.PrivateKey
}

func newIdentities(folder, trustDomain string) (*identities, error) {
	authority, err := tresor.Open(folder, 0, time.Now)
	if err != nil {
		return nil, err
	}
	return &identities{authority: authority, trustDomain: trustDomain, pairs: map[model.Identity]certificate{}}, nil
}

// Certificate implements sinks.Credentials.
func (c *identities) Certificate(ctx context.Context, identity model.Identity) ([]byte, sinks.PrivateKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.pairs[identity]
	if !ok {
		chain, key, _, err := c.authority.Issue(ctx, identity, c.trustDomain, 12*time.Hour)
		if err != nil {
			return nil, nil, err
		}
		p = certificate{chain, key}
		c.pairs[identity] = p
	}
	return p.chain, p.key, nil
}

// Trust implements sinks.Credentials.
func (c *identities) Trust() []byte { return c.authority.Trust() }
