package token

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
)

// AccessCertificate is held of whoever sends an access token.
var AccessCertificate = check.New(check.Check{Number: 946, ID: "token.certificate", Fault: fault.Unauthenticated, Shown: "token.certificate",
	Says: "An access token that is bound to a certificate comes over a connection that shows it.", Source: "RFC 8705 section 3",
	Title: "The access token is bound to a certificate that was not shown."})

// CertificateHash is how a token names the certificate that it is bound to
// (x5t#S256, RFC 8705 section 3.1); empty for none.
func CertificateHash(shown []*x509.Certificate) string {
	if len(shown) == 0 {
		return ""
	}
	sum := sha256.Sum256(shown[0].Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Beside says whether a token that is bound to a certificate, if it is, comes
// beside that certificate. It says nothing of a key that it is bound to.
func (c Confirm) Beside(certificate string) bool {
	return c.X5T == "" || secret.Equal([]byte(c.X5T), []byte(certificate))
}
