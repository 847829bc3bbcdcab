// Package jose signs and verifies JSON Web Signatures in compact form
// (RFC 7515), encrypts and decrypts JSON Web Encryption in compact form
// (RFC 7516), and reads and publishes public keys as JSON Web Keys (RFC 7517).
//
// The algorithms are a closed list and every key is bound to exactly one of
// them (RFC 8725 section 3.1): what a token's header says can only agree with
// the key or be refused. Tokens are written with the standard library and a
// header prepared once; tokens are read through go-jose, behind a check of
// form that is stricter than the RFCs ask.
//
// The package knows nothing of claims: it carries bytes. Keys are made here,
// but no randomness is: since Go 1.26 the standard library takes its own, but for
// the salt of PSS.
package jose
