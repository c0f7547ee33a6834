//go:build linux

package local

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

func TestSubordinates(t *testing.T) {
	anna := &user.User{Username: "anna", Uid: "1000"}
	for _, c := range []struct {
		name, text string
		want       subordinates
	}{
		{"by name", "# comment\nbob:1:2\nanna:100000:65536\n", subordinates{100000, 65536}},
		{"by number", "1000:200000:65536\n", subordinates{200000, 65536}},
		{"the first that is large enough", "anna:1:1\nanna:300000:1500\n", subordinates{300000, 1500}},
		{"too few", "anna:100000:1499\n", subordinates{}},
		{"broken", "anna:many:more\nanna\n", subordinates{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := subordinatesOf(anna, written(t, c.text))
			if got != c.want || (err == nil) != (c.want.count > 0) {
				t.Errorf("got %v, %v", got, err)
			}
			if err != nil && !strings.Contains(err.Error(), "usermod --add-subuids 100000-165535") {
				t.Errorf("it does not say what to do: %v", err)
			}
		})
	}
}

func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
