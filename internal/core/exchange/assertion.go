package exchange

import (
	"context"
	"slices"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// KeySource reads the JWK Set at an address that somebody else named. When what
// it keeps does not have what is wanted it asks again, within bounds.
type KeySource interface {
	Keys(ctx context.Context, address string, has func(set []byte) bool) ([]byte, error)
}

// An asserted is an assertion whose signature was looked at, and the keys that
// it was looked at with.
type asserted struct {
	client.Assertion
	good bool
	by   client.Settings
	auth string
}

// asserted verifies the signature of a client's assertion. It may ask where the
// client keeps its keys, so it is no part of a judgement, which holds that the
// client still has those keys.
func (x *Exchanges) asserted(ctx context.Context, proof ClientProof) (out asserted) {
	if !client.ValidID(proof.ID) {
		return out
	}
	v := x.pipe.Store.View(ctx)
	c := v.Client(proof.ID)
	if v.Err() != nil || c.Auth != client.AuthKey {
		return out
	}
	out.by, out.auth = c.Settings, c.Auth
	keys, err := x.keysOf(ctx, c.JWKS, c.JWKSURI, proof.Assertion)
	if err == nil {
		out.Assertion, out.good = client.ReadAssertion(proof.Assertion, keys, c.Signs(c.AuthAlg))
	}
	return out
}

// keysOf are somebody else's keys, by which a token of theirs can be verified:
// those that are kept here, or those at an address.
func (x *Exchanges) keysOf(ctx context.Context, kept []byte, address, text string) (jose.KeySet, error) {
	if address == "" {
		return jose.ReadJWKS(kept)
	}
	return x.keysAt(ctx, address, text)
}

// keysAt are the keys at an address, asked for again when a token names one
// that was not there (OpenID Connect Core section 10.1.1).
func (x *Exchanges) keysAt(ctx context.Context, address, text string) (jose.KeySet, error) {
	_, kid, err := jose.Peek(text)
	if err != nil || x.policy.Keys == nil {
		return jose.KeySet{}, jose.ErrKey
	}
	raw, err := x.policy.Keys.Keys(ctx, address, func(set []byte) bool {
		s, err := jose.ReadJWKS(set)
		return err == nil && s.Has(kid)
	})
	if err != nil {
		return jose.KeySet{}, err
	}
	return jose.ReadJWKS(raw)
}

// asserts says whether the assertion is the client's, for this server, and not
// used before; and uses it up.
func (p *proving) asserts(j *settle.Judgement, c client.Client) (check.Word, bool) {
	s := p.signed
	if !s.good || !c.Exists() || c.Auth != s.auth || c.JWKSURI != s.by.JWKSURI || c.AuthAlg != s.by.AuthAlg || c.Profile != s.by.Profile || !slices.Equal(c.JWKS, s.by.JWKS) {
		return client.WordSignature, false
	}
	if word, ok := s.Judge(c.ID, p.x.assertionAudiences(c, p.proof), j.Now, p.x.policy.Token.Leeway); !ok {
		return word, false
	}
	hash := token.SpentHash(token.AsAssertion, c.ID, []byte(s.JTI))
	if j.View.Spent(token.AsAssertion, hash).Exists() {
		return client.WordJTI, false
	}
	j.Also(token.SpendOnce{Use: token.AsAssertion, Hash: hash, Until: s.ExpiresAt.Add(2 * p.x.policy.Token.Leeway)})
	return 0, true
}

// assertionAudiences are the names by which an assertion may mean this server:
// its issuer, as FAPI 2.0 section 5.3.2.1 has it, or its token endpoint, as RFC
// 7523 section 3 has it, or the endpoint that it was sent to, as RFC 9126
// section 2 asks of us; and where certificates are shown those endpoints by
// their other names (RFC 8705 section 5). FAPI 2.0 allows the issuer alone.
func (x *Exchanges) assertionAudiences(c client.Client, p ClientProof) []string {
	if c.FAPI() {
		return []string{x.policy.Issuer}
	}
	out := []string{x.policy.Issuer, x.policy.Issuer + "/oauth/token", x.policy.Issuer + p.Endpoint}
	if p.Alias != "" {
		out = append(out, p.Alias+"/oauth/token", p.Alias+p.Endpoint)
	}
	return out
}
