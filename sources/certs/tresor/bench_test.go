package tresor

import (
	"testing"
	"time"
)

func BenchmarkIssue(b *testing.B) {
	for _, size := range []struct {
		name string
		bits int
	}{{"ECDSA-P256", 0}, {"RSA-2048", 2048}, {"RSA-4096", 4096}} {
		b.Run(size.name, func(b *testing.B) {
			authority, err := Open(b.TempDir(), size.bits, time.Now)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, _, err := authority.Issue(b.Context(), bookshop, "cluster.local", time.Hour); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
