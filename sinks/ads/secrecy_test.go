package ads

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeysAreNowhere looks for private keys in whatever the package writes or could be printed from it: logs, statuses,
// errors, and the values themselves.
func TestKeysAreNowhere(t *testing.T) {
	t.Parallel()
	log := &journal{}
	server, a, f := served(t, newShop("web"), sellerProxy, seller, Options{Log: log.logger()})
	key := a.of(seller).key.PEM()
	purse := server.wallet.purse(server.world.targetOf(sellerProxy))
	status, err := json.Marshal(server.Proxies())
	if err != nil {
		t.Fatal(err)
	}
	st := server.connected()[0]
	st.mu.Lock()
	printed := fmt.Sprintf("%v %+v %#v %s", purse, purse.resources, *purse.find("service-cert"), st.progress.kinds[secrets].names())
	st.mu.Unlock()
	f.stop()
	if !bytes.Contains(purse.wire("service-cert"), key) {
		t.Fatal("the key is not where it should be, so that this test finds nothing")
	}
	block, _ := pem.Decode(key)
	for name, text := range map[string]string{"log": log.String(), "status": string(status), "printed": printed} {
		for _, spelling := range []string{"PRIVATE KEY", string(block.Bytes), base64.StdEncoding.EncodeToString(block.Bytes)[:40], strings.Trim(fmt.Sprintf("%d", block.Bytes[:32]), "[]")} {
			if strings.Contains(text, spelling) {
				t.Errorf("a private key is in the %s", name)
			}
		}
	}
	files, err := filepath.Glob("testdata/*/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d goldens, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || bytes.Contains(text, []byte("PRIVATE KEY")) {
			t.Errorf("%s: a private key, or %v", file, err)
		}
	}
}
