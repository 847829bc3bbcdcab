package client

import (
	"slices"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
)

// FAPI2 is the profile of an application that keeps to the FAPI 2.0 security
// profile, and is held to it: it pushes its requests, proves itself by a key or
// a certificate, and gets no token that is not bound to its sender.
const FAPI2 = "fapi2"

// WordProfile names the profile, or what does not go with it.
var WordProfile = check.NewWord(285, "doorward_security_profile")

// fapiAlgs are those that the profile knows (FAPI 2.0 section 5.4.1).
var fapiAlgs = []jose.Alg{jose.ES256, jose.PS256, jose.EdDSA, jose.Ed25519}

// FAPI says whether the application is held to FAPI 2.0.
func (s Settings) FAPI() bool { return s.Profile == FAPI2 }

// Signs are the algorithms that what an application signs itself may have: the
// one that it registered, or those of its profile.
func (s Settings) Signs(registered string) []jose.Alg {
	switch {
	case registered != "":
		return []jose.Alg{jose.Alg(registered)}
	case s.FAPI():
		return fapiAlgs
	}
	return jose.OthersAlgs()
}

// validProfile says whether there is such a profile, and the rest of the
// registration goes with it.
func (c Client) validProfile() bool {
	if !c.FAPI() {
		return c.Profile == ""
	}
	fits := func(alg string) bool { return alg == "" || slices.Contains(fapiAlgs, jose.Alg(alg)) }
	return slices.Contains([]string{AuthKey, AuthCertificate, AuthSelfSigned}, c.Auth) && !c.ChallengeOptional() && fits(c.AuthAlg) && fits(c.RequestAlg)
}
