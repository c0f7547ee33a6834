package certs

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// plainKey is a key of an authority that does not hide it.
type plainKey struct{ Text []byte }

func (k plainKey) PEM() []byte { return k.Text }

// careless is an authority whose keys any printer can read.
type careless struct{ Authority }

func (c careless) Issue(ctx context.Context, identity model.Identity, trustDomain string, validity time.Duration) ([]byte, PrivateKey, []byte, error) {
	chain, key, trust, err := c.Authority.Issue(ctx, identity, trustDomain, validity)
	if err != nil {
		return nil, nil, nil, err
	}
	return chain, plainKey{key.PEM()}, trust, nil
}

// Every way in which something that holds keys could get into a text: not even keys that do not hide themselves are shown.
func TestNothingOfAKeeperShowsAKey(t *testing.T) {
	inMesh(t, func(t *testing.T, m *mesh) {
		open := m.options.Open
		m.options.Open = func(ctx context.Context, root model.Root, keyBits int) (Authority, error) {
			authority, err := open(ctx, root, keyBits)
			return careless{authority}, err
		}
		m.apply("oak*")
		m.leaf(buyer)
		m.locked(func() { m.failing = errors.New("no") })
		_, _, failure := m.Certificate(t.Context(), seller)
		_, key, err := m.Certificate(t.Context(), buyer)
		if err != nil || failure == nil {
			t.Fatal(err, failure)
		}
		secrets := fragments(key.PEM())
		m.Keeper.mu.Lock()
		leaf := m.leaves[buyer]
		m.Keeper.mu.Unlock()
		values := []any{
			m.Keeper, []*Keeper{m.Keeper}, struct{ K *Keeper }{m.Keeper}, map[string]*Keeper{"k": m.Keeper}, m.State(), m.Certificates(), failure,
			leaf, *leaf, leaf.held, *leaf.held, landed(leaf.held, nil), m.issues(),
		}
		for _, value := range values {
			for how, text := range texts(value) {
				for _, secret := range secrets {
					if strings.Contains(text, secret) {
						t.Errorf("%T in %s shows the key", value, how)
					}
				}
			}
		}
		for _, secret := range secrets {
			if strings.Contains(m.logged(), secret) {
				t.Error("the log shows the key")
			}
		}
		if text := fmt.Sprintf("%+v", plainKey{key.PEM()}); !strings.Contains(text, secrets[len(secrets)-1]) {
			t.Error("this test would not see a key")
		}
	})
}

// texts are a value in every textual form.
func texts(value any) map[string]string {
	forms := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		forms[verb] = fmt.Sprintf(verb, value)
	}
	text, _ := json.Marshal(value)
	forms["JSON"] = string(text)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("kept", "value", value)
	slog.New(slog.NewTextHandler(&log, nil)).Info("kept", "value", value)
	forms["a log"] = log.String()
	return forms
}

// fragments are pieces of a key in PEM, in the notations that printers have.
func fragments(text []byte) []string {
	block, _ := pem.Decode(text)
	inner := text[40:60]
	list := strings.Trim(fmt.Sprintf("%d", inner), "[]")
	return []string{
		"PRIVATE KEY", hex.EncodeToString([]byte("PRIVATE KEY")), string(inner), hex.EncodeToString(inner), strings.ToUpper(hex.EncodeToString(inner)),
		base64.StdEncoding.EncodeToString(block.Bytes)[40:60], base64.StdEncoding.EncodeToString(text)[40:60],
		strings.ReplaceAll(list, " ", ","), list,
	}
}
