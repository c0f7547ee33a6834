package mysql

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"testing"
)

// The answers are PyMySQL's.
func TestProofs(t *testing.T) {
	nonce := []byte("abcdefghijklmnopqrst")
	for plugin, want := range map[string]string{
		nativePassword:  "78cc05dd59cc32bd68128cd7f6b1e2e9fafbff6e",
		cachingPassword: "ed97204215586b32d51c4b9b9989239dfb355b977495f0432913f17f5c3f771b",
	} {
		if got := hex.EncodeToString(proof(plugin, nonce, "mypassword")); got != want {
			t.Errorf("%s: %s", plugin, got)
		}
		if proof(plugin, nonce, "") != nil {
			t.Errorf("%s: no password has a proof", plugin)
		}
	}
}

// What the driver of the demo does not do, other clients do.
func TestHandshakes(t *testing.T) {
	for _, test := range []struct {
		name     string
		plugin   string // the client's own; empty for one that knows of none
		password string
		late     bool // answers nothing at first
		switches bool
		denied   bool
	}{
		{name: "old client", password: "mypassword"},
		{name: "native password", plugin: nativePassword, password: "mypassword"},
		{name: "native password, wrong", plugin: nativePassword, password: "yourpassword", denied: true},
		{name: "caching password", plugin: cachingPassword, password: "mypassword"},
		{name: "caching password, wrong", plugin: cachingPassword, password: "yourpassword", denied: true},
		{name: "native password, said late", plugin: nativePassword, password: "mypassword", late: true, switches: true},
		{name: "caching password, said late", plugin: cachingPassword, password: "mypassword", late: true, switches: true},
		{name: "no password", plugin: cachingPassword, late: true, switches: true, denied: true},
		{name: "another plugin", plugin: "client_ed25519", password: "mypassword", switches: true},
		{name: "another plugin, wrong", plugin: "client_ed25519", password: "yourpassword", switches: true, denied: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer func() { _ = theirs.Close() }()
			ended := make(chan error, 1)
			go func() {
				defer func() { _ = ours.Close() }()
				database, err := shake(&wire{ReadWriter: ours}, 7, "mypassword")
				if err == nil && database != "booksdemo" {
					t.Errorf("the client wants %q", database)
				}
				ended <- err
			}()
			client := &wire{ReadWriter: theirs}
			greeted, err := client.read()
			if err != nil {
				t.Fatal(err)
			}
			nonce := nonceOf(greeted)
			plugin := test.plugin
			switch plugin {
			case "":
				plugin = nativePassword
			case "client_ed25519":
				plugin = cachingPassword
			}
			answer := proof(plugin, nonce, test.password)
			if test.late {
				answer = nil
			}
			if err := client.write(helloPacket(test.plugin, answer)); err != nil {
				t.Fatal(err)
			}
			if test.switches {
				request, err := client.read()
				if err != nil || request[0] != 0xfe || string(request[1:1+len(plugin)]) != plugin {
					t.Fatalf("got %q (%v)", request, err)
				}
				if err := client.write(proof(plugin, request[2+len(plugin):len(request)-1], test.password)); err != nil {
					t.Fatal(err)
				}
			}
			if plugin == cachingPassword && !test.denied {
				if more, err := client.read(); err != nil || string(more) != "\x01\x03" {
					t.Errorf("got %q (%v)", more, err)
				}
			}
			var said *Error
			if err := <-ended; test.denied != errors.As(err, &said) || !test.denied && err != nil {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

func nonceOf(greeting []byte) []byte {
	at := 1 + len(Version) + 1 + 4
	rest := greeting[at+8+1+2+1+2+2+1+10:]
	return join(greeting[at:at+8], rest[:12])
}

func helloPacket(plugin string, response []byte) []byte {
	capabilities := uint32(protocol41 | secureConnection | connectWithDB)
	if plugin != "" {
		capabilities |= pluginAuth
	}
	b := binary.LittleEndian.AppendUint32(nil, capabilities)
	b = append(b, make([]byte, 28)...)
	b = append(b, "root\x00"...)
	b = append(b, byte(len(response)))
	b = append(b, response...)
	b = append(b, "booksdemo\x00"...)
	if plugin != "" {
		b = append(append(b, plugin...), 0)
	}
	return b
}

func FuzzHello(f *testing.F) {
	f.Add(helloPacket(nativePassword, make([]byte, 20)))
	f.Add(helloPacket("", nil))
	f.Fuzz(func(_ *testing.T, payload []byte) { _, _ = parseHello(payload) })
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"CREATE TABLE IF NOT EXISTS a.b (c VARCHAR(64) PRIMARY KEY, d BIGINT NOT NULL, PRIMARY KEY (c))", "CREATE DATABASE x;",
		"INSERT INTO a (b, c) VALUES ('x', -1), (NULL, \"\\\"\") ON DUPLICATE KEY UPDATE b = b + VALUES(c) - 3",
		"SELECT *, a AS b, COUNT(*), SUM(`c`), @@d, DATABASE() FROM e.f LIMIT 3 -- g", "SHOW TABLES", "USE x", "SET a = b", "/*", "'", "SELECT",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statement, err := parse(text)
		var said *Error
		if err != nil && !errors.As(err, &said) {
			t.Errorf("an error without a number: %v", err)
		}
		if err == nil {
			_, _ = statement.run(&session{tables: newTables("booksdemo"), database: "booksdemo"})
		}
	})
}
