package mysql

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // mysql_native_password is defined with SHA-1.
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// Version is what the server calls itself. Clients choose their dialect by the number.
const Version = "8.0.0-fsm-demo"

// The capabilities that matter here, by their bits in the protocol.
const (
	longPassword     = 1 << 0
	foundRows        = 1 << 1
	longFlag         = 1 << 2
	connectWithDB    = 1 << 3
	protocol41       = 1 << 9
	transactions     = 1 << 13
	secureConnection = 1 << 15
	pluginAuth       = 1 << 19
	lengthEncoded    = 1 << 21
)

const offered = longPassword | foundRows | longFlag | connectWithDB | protocol41 | transactions | secureConnection | pluginAuth | lengthEncoded

const (
	nativePassword  = "mysql_native_password"
	cachingPassword = "caching_sha2_password"

	utf8mb4 = 45
	binary8 = 63 // the character set of numbers

	autocommit = 2 // the only status there is
)

// A hello is what a client answers to the greeting.
type hello struct {
	user, database, plugin string
	response               []byte
}

// shake greets a client and finds out whether it knows the password. It returns the database that the client asked for.
func shake(w *wire, id uint32, password string) (database string, err error) {
	nonce := newNonce()
	if err := w.write(greeting(id, nonce)); err != nil {
		return "", err
	}
	payload, err := w.read()
	if err != nil {
		return "", err
	}
	client, err := parseHello(payload)
	if err != nil {
		return "", err
	}
	known := client.plugin == nativePassword || client.plugin == cachingPassword
	if !known {
		client.plugin = cachingPassword
	}
	if !known || len(client.response) == 0 && password != "" {
		// A client that guessed another plugin has answered nothing of use. It is told which one it is to be, and answers once more.
		if err := w.write(join([]byte{0xfe}, []byte(client.plugin), []byte{0}, nonce, []byte{0})); err != nil {
			return "", err
		}
		if client.response, err = w.read(); err != nil {
			return "", err
		}
	}
	if !knows(client, nonce, password) {
		return "", &Error{Code: 1045, State: "28000", Message: fmt.Sprintf("Access denied for user '%s' (using password: %s)", client.user, yesOrNo(client.response))}
	}
	if client.plugin == cachingPassword && password != "" {
		// "I know you already": the answer that spares the client from sending the password itself.
		if err := w.write([]byte{1, 3}); err != nil {
			return "", err
		}
	}
	return client.database, nil
}

// newNonce returns twenty random bytes, none of them zero.
func newNonce() []byte {
	nonce := make([]byte, 20)
	_, _ = rand.Read(nonce) // It never fails.
	for i := range nonce {
		nonce[i] = nonce[i]&0x7f | 1
	}
	return nonce
}

func greeting(id uint32, nonce []byte) []byte {
	b := append([]byte{10}, Version...)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint32(b, id)
	b = append(b, nonce[:8]...)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint16(b, offered&0xffff)
	b = append(b, utf8mb4)
	b = binary.LittleEndian.AppendUint16(b, autocommit)
	b = binary.LittleEndian.AppendUint16(b, offered>>16)
	b = append(b, byte(len(nonce)+1))
	b = append(b, make([]byte, 10)...)
	b = append(b, nonce[8:]...)
	b = append(b, 0)
	b = append(b, cachingPassword...)
	return append(b, 0)
}

func parseHello(payload []byte) (hello, error) {
	f := fields{rest: payload}
	capabilities := f.uint32()
	f.take(4 + 1 + 23) // largest packet, character set, nothing
	client := hello{user: f.zeroEnded()}
	if capabilities&protocol41 == 0 || f.short {
		return client, &Error{Code: 1043, State: "08S01", Message: "Bad handshake"}
	}
	client.response = bytes.Clone(f.take(int(f.byte())))
	if capabilities&connectWithDB != 0 {
		client.database = f.zeroEnded()
	}
	if capabilities&pluginAuth != 0 {
		client.plugin = f.zeroEnded()
	} else {
		client.plugin = nativePassword
	}
	if f.short {
		return client, &Error{Code: 1043, State: "08S01", Message: "Bad handshake"}
	}
	return client, nil
}

// knows says whether the client's answer proves that it knows the password. There is one user, whatever its name.
func knows(client hello, nonce []byte, password string) bool {
	response := client.response
	if client.plugin == cachingPassword && password == "" {
		response = bytes.TrimSuffix(response, []byte{0})
	}
	return subtle.ConstantTimeCompare(response, proof(client.plugin, nonce, password)) == 1
}

// proof returns what a client that knows the password answers.
func proof(plugin string, nonce []byte, password string) []byte {
	if password == "" {
		return nil
	}
	if plugin == nativePassword {
		once := sha1.Sum([]byte(password))
		twice := sha1.Sum(once[:])
		salted := sha1.Sum(join(nonce, twice[:]))
		return exclusiveOr(once[:], salted[:])
	}
	once := sha256.Sum256([]byte(password))
	twice := sha256.Sum256(once[:])
	salted := sha256.Sum256(join(twice[:], nonce))
	return exclusiveOr(once[:], salted[:])
}

func exclusiveOr(a, b []byte) []byte {
	out := make([]byte, len(a))
	subtle.XORBytes(out, a, b)
	return out
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func yesOrNo(response []byte) string {
	if len(response) > 0 {
		return "YES"
	}
	return "NO"
}
