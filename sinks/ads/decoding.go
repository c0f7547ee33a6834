package ads

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Nearly all requests are acknowledgements, and most others ask for names. Those are read here, without a message of
// protocol buffers in between. Whatever else a request has, and whatever is not as it should be, is left to the decoder
// of protocol buffers, so that there is one that says what is garbage.

// The fields of a DeltaDiscoveryRequest that are read here.
const (
	requestType        = 2
	requestSubscribe   = 3
	requestUnsubscribe = 4
	requestVersions    = 5
	requestNonce       = 6

	pairKey   = 1
	pairValue = 2
)

// plainRequest reads a request that has a type, a nonce, names and versions and nothing else; false when it has.
func plainRequest(b []byte) (request, bool) {
	r := request{kind: kinds}
	for len(b) > 0 {
		field, value, n := bytesField(b)
		if n < 0 {
			return request{}, false
		}
		b = b[n:]
		if field != requestVersions && !utf8.Valid(value) {
			return request{}, false
		}
		ok := true
		switch field {
		case requestType:
			r.kind, ok = kindIn(value)
		case requestNonce:
			r.nonce, ok = plainNonce(value)
		case requestSubscribe:
			r.subscribe = append(r.subscribe, string(value))
		case requestUnsubscribe:
			r.unsubscribe = append(r.unsubscribe, string(value))
		case requestVersions:
			ok = r.addVersion(value)
		default:
			ok = false
		}
		if !ok {
			return request{}, false
		}
	}
	return r, r.kind != kinds
}

// kindIn is kindOf without a string.
func kindIn(url []byte) (kind, bool) {
	for k := range kinds {
		if string(url) == kindURLs[k] {
			return k, true
		}
	}
	return kinds, false
}

// bytesField is the next field, if it is one that has a length; n is its size with all, or negative.
func bytesField(b []byte) (field protowire.Number, value []byte, n int) {
	field, wire, n := protowire.ConsumeTag(b)
	if n < 0 || wire != protowire.BytesType {
		return 0, nil, -1
	}
	value, m := protowire.ConsumeBytes(b[n:])
	if m < 0 {
		return 0, nil, -1
	}
	return field, value, n + m
}

// plainNonce reads a nonce that is a number without anything else.
func plainNonce(b []byte) (nonce int, ok bool) {
	const digits = 9
	if len(b) == 0 || len(b) > digits {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		nonce = 10*nonce + int(c-'0')
	}
	return nonce, nonce > 0
}

// addVersion reads a name and the version of it.
func (r *request) addVersion(b []byte) bool {
	key, name, n := bytesField(b)
	if n < 0 || key != pairKey || !utf8.Valid(name) {
		return false
	}
	value, version, m := bytesField(b[n:])
	if m < 0 || value != pairValue || n+m != len(b) || !utf8.Valid(version) {
		return false
	}
	if r.versions == nil {
		r.versions = map[string]string{}
	}
	r.versions[string(name)] = string(version)
	return true
}
