package exchange

import (
	"strings"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/client"
)

// openedRequest gives the signed request inside one that its application encrypted to
// the server (RFC 9101 section 6.1), or one that is not encrypted as it is: what
// it says counts by its signature alone. An application encrypts by the algorithm
// that it registered, or not at all.
func (x *Exchanges) openedRequest(c client.Client, text string) (string, bool) {
	if strings.Count(text, ".") != 4 {
		return text, true
	}
	if c.RequestKeyAlg == "" || !jose.EncryptedBy(text, c.RequestKeyAlg, c.RequestEnc) {
		return "", false
	}
	plain, err := jose.Decrypt(text, x.keys.Ring().Opening...)
	return string(plain), err == nil
}
