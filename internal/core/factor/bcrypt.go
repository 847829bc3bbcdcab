package factor

import (
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// bcrypt reads the first 72 bytes of a password and no more. A password that
// is longer fits nothing that it made: two that differ only behind them would
// be the same (MFA-22).
const bcryptReads = 72

// maxBcryptCost bounds what one comparison of an imported hash takes: about a
// second of one core.
const maxBcryptCost = 14

// isBcrypt says whether a stored hash is one of bcrypt's that we compare with,
// in its one spelling: $2b$12$ and 53 characters. Other products write $2a$ and
// $2y$ for the same.
func isBcrypt(phc string) bool {
	if len(phc) != 60 || phc[0] != '$' || phc[6] != '$' {
		return false
	}
	switch phc[:4] {
	case "$2a$", "$2b$", "$2y$":
	default:
		return false
	}
	cost, err := strconv.Atoi(phc[4:6])
	if err != nil || phc[4] < '0' || cost < bcrypt.MinCost || cost > maxBcryptCost {
		return false
	}
	const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	return strings.Trim(phc[7:], alphabet) == ""
}

// verifyBcrypt compares at full cost whatever the length, so that the time an
// answer takes does not tell whose hash is an imported one.
func verifyBcrypt(nfc, phc string) bool {
	fits := bcrypt.CompareHashAndPassword([]byte(phc), []byte(nfc[:min(len(nfc), bcryptReads)])) == nil
	return fits && len(nfc) <= bcryptReads
}

// Verifiable says whether a stored hash is one that Verify can compare with:
// argon2id as a PHC string, or bcrypt, each within our bounds.
func Verifiable(phc string) bool {
	_, err := parse(phc)
	return err == nil || isBcrypt(phc)
}
