// Package sdkjs holds the browser SDK, so that the server can serve the same
// file that the npm package ships.
package sdkjs

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
)

// Source is the module doorward.js, in UTF-8.
//
//go:embed doorward.js
var Source []byte

// Integrity is the hash of Source as pages state it (W3C Subresource Integrity
// section 3.1).
func Integrity() string { return "sha256-" + digest() }

// Digest is the same as the server states it (RFC 9530 section 3).
func Digest() string { return "sha-256=:" + digest() + ":" }

func digest() string {
	sum := sha256.Sum256(Source)
	return base64.StdEncoding.EncodeToString(sum[:])
}
