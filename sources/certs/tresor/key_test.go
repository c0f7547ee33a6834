package tresor

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"
)

// Every way in which a key, or what holds one, could get into a text.
func TestKeysAreRedacted(t *testing.T) {
	for name, bits := range map[string]int{"ECDSA": 0, "RSA": 2048} {
		t.Run(name, func(t *testing.T) { testRedaction(t, bits) })
	}
}

func testRedaction(t *testing.T, bits int) {
	authority, err := Open(t.TempDir(), bits, at(noon))
	if err != nil {
		t.Fatal(err)
	}
	_, leaf, _, err := authority.Issue(t.Context(), bookshop, "cluster.local", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	own, err := keyOf(authority.signer())
	if err != nil {
		t.Fatal(err)
	}
	key := leaf.(Key)
	type hidden struct {
		key any
		own Key
	}
	secrets := append(fragments(t, key), fragments(t, own)...)
	for _, value := range []any{key, &key, []Key{key}, map[string]Key{"key": key}, struct{ Key Key }{key}, hidden{key, own}, &hidden{key, own}, authority, *authority, errors.Join(fmt.Errorf("no: %v", key))} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			assertSecret(t, fmt.Sprintf("%T %s", value, verb), fmt.Sprintf(verb, value), secrets)
		}
		text, _ := json.Marshal(value)
		assertSecret(t, fmt.Sprintf("%T as JSON", value), string(text), secrets)

		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("issued", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("issued", "value", value)
		assertSecret(t, fmt.Sprintf("%T in a log", value), log.String(), secrets)
	}
	for _, text := range []string{key.String(), key.GoString(), fmt.Sprint(key), fmt.Sprintf("%s", &key), key.LogValue().String()} {
		if text != redacted {
			t.Errorf("it shows as %s", text)
		}
	}
}

// fragments are pieces of the secret part of a key, in the notations that printers have.
func fragments(t *testing.T, key Key) []string {
	t.Helper()
	signer, err := parseKey(key.PEM())
	if err != nil {
		t.Fatal(err)
	}
	secret := secretOf(t, signer)[4:16]
	block, _ := pem.Decode(key.PEM())
	at := (bytes.Index(block.Bytes, secret) + 2) / 3 * 3 // Where a group of base64 begins.
	list := strings.Trim(fmt.Sprintf("%d", secret), "[]")
	return []string{
		base64.StdEncoding.EncodeToString(block.Bytes[at : at+9]), new(big.Int).SetBytes(secret).String(),
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), list, strings.ReplaceAll(list, " ", ","),
		"PRIVATE KEY", hex.EncodeToString([]byte("PRIVATE KEY")),
	}
}

// secretOf is the part of a key that is secret.
func secretOf(t *testing.T, signer crypto.Signer) []byte {
	t.Helper()
	switch key := signer.(type) {
	case *ecdsa.PrivateKey:
		secret, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return secret
	case *rsa.PrivateKey:
		return key.D.Bytes()
	default:
		t.Fatalf("the key is a %T", signer)
		return nil
	}
}

func assertSecret(t *testing.T, how, text string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the key", how)
		}
	}
}
