package token

import (
	"crypto/sha256"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
)

// Verifies says whether a verifier is the one that a challenge was made of by
// S256 (RFC 7636 section 4.6). Without a challenge there must be no verifier:
// one that comes alone shows that the challenge was taken out on the way (RFC
// 9700 section 4.8.2).
func Verifies(challenge, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	for i := range len(verifier) {
		c := verifier[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	h := sha256.Sum256([]byte(verifier))
	return secret.Equal([]byte(secret.Encode(h[:])), []byte(challenge))
}

// Checks of a code, in the order of judgement.
var (
	CodeAuthentic = check.New(check.Check{Number: 911, ID: "code.authentic", Fault: fault.Grant, Shown: "code.authentic",
		Says: "This server made the code.", Source: "RFC 6749 section 5.2",
		Title: "The code is not one of ours.", Stops: []string{"OAU-16"}})
	CodeClient = check.New(check.Check{Number: 912, ID: "code.client", Fault: fault.Grant, Shown: "code.client",
		Says: "The code was made for the application that shows it.", Source: "RFC 6749 section 4.1.3",
		Title: "The code is another application's.", Stops: []string{"OAU-08"}})
	CodeUnspent = check.New(check.Check{Number: 913, ID: "code.unspent", Fault: fault.Grant, Shown: "code.unspent",
		Says: "The code was not used before.", Source: "RFC 6749 section 4.1.2; ASVS 10.4.2",
		Title: "The code was used before. What it had bought has ended.", Stops: []string{"OAU-09"}})
	CodeInTime = check.New(check.Check{Number: 914, ID: "code.in_time", Fault: fault.Grant, Shown: "code.in_time",
		Says: "The code is not older than a minute.", Source: "RFC 6749 section 4.1.2; ASVS 10.4.3",
		Title: "The code is too old."})
	CodeRedirect = check.New(check.Check{Number: 915, ID: "code.redirect", Fault: fault.Grant, Shown: "code.redirect",
		Says: "The address to go back to is the one of the request, or is left out where a verifier proves more.", Source: "RFC 6749 section 4.1.3; OAuth 2.1 section 10.2",
		Title: "The code was made for another address to go back to.", Stops: []string{"OAU-08"}})
	CodeProved = check.New(check.Check{Number: 916, ID: "pkce.match", Fault: fault.Grant, Shown: "pkce.match",
		Says: "Who shows the code has what its challenge was made of.", Source: "RFC 7636 section 4.6; RFC 9700 section 4.8.2",
		Title: "The code verifier does not fit.", Stops: []string{"OAU-13"}})
	CodeStands = check.New(check.Check{Number: 917, ID: "code.stands", Fault: fault.Grant, Shown: "code.stands",
		Says: "The person, their session and what they allowed still stand as when the code was made.", Source: "RFC 9700 section 4.14.2; OAU-12",
		Title: "What the code was made for has ended meanwhile.", Stops: []string{"OAU-12"}})
)
