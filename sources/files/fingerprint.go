package files

import "crypto/sha256"

// fingerprint is a hash of the text of an object and of what it is said to be. Texts with one fingerprint mean the same object,
// wherever they stand; the zero value is that of none.
type fingerprint [sha256.Size]byte

// fingerprint is that of a manifest; none for a decoder that is not used again.
func (d *decoder) fingerprint(m manifest) fingerprint {
	if d.known == nil {
		return fingerprint{}
	}
	hash := sha256.New()
	hash.Write([]byte(m.apiVersion))
	hash.Write([]byte{0})
	hash.Write([]byte(m.kind))
	hash.Write([]byte{0})
	hash.Write(m.body.json[m.start:m.end])
	return fingerprint(hash.Sum(nil))
}

// clean says whether nothing was found about an object, so that it can be taken as it is wherever its text stands.
func (o outcome) clean() bool {
	return !o.stale && len(o.diagnostics) == 0 && (o.verdict == usable || o.verdict == unused)
}
