package jose

import "slices"

// A KeyAlg is how the key of an encrypted token reaches its reader, by its name
// in the JOSE registry (RFC 7518 section 4.1). The list is closed. There is no
// RSA1_5, whose padding has told secrets for thirty years, and no password-based
// one, whose cost a stranger could choose (RFC 8725 sections 3.2 and 3.13).
type KeyAlg string

// The key management algorithms.
const (
	RSAOAEP256   KeyAlg = "RSA-OAEP-256"   // RSA OAEP with SHA-256
	ECDHES       KeyAlg = "ECDH-ES"        // agreement on P-256, used as it is
	ECDHESA128KW KeyAlg = "ECDH-ES+A128KW" // agreement on P-256, wrapping a key with AES-128
	ECDHESA256KW KeyAlg = "ECDH-ES+A256KW" // the same with AES-256
)

var keyAlgs = []KeyAlg{RSAOAEP256, ECDHES, ECDHESA128KW, ECDHESA256KW}

// KeyAlgs are the key management algorithms.
func KeyAlgs() []KeyAlg { return slices.Clone(keyAlgs) }
