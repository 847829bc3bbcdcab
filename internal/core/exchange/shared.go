package exchange

import (
	"context"
	"fmt"
	"slices"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// signs is what an application's access token is signed by: the secret that it
// shares with its service, when the token is for that service and nobody else
// but this server, which then is not meant either; or else a key of ours.
func (x *Exchanges) signs(j *settle.Judgement, c client.Client, claims *token.Claims) (token.Signer, error) {
	if !c.Sole(x.policy.Issuer, claims.Audience) {
		return x.signer(c.AccessTokenAlg)
	}
	all := j.View.Secrets(c.ID)
	if err := j.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 || all[len(all)-1].Alg != c.SharedAlg {
		return nil, fmt.Errorf("exchange: %w: the secret of %s was changed just now", core.ErrUnavailable, c.ID)
	}
	claims.Audience = c.Resources
	return x.opened(all[len(all)-1])
}

// opened is a shared secret to sign or verify with.
func (x *Exchanges) opened(s client.SharedSecret) (*jose.Shared, error) {
	sealer := x.keys.Ring().Sharing
	if sealer == nil {
		return nil, fmt.Errorf("exchange: %w: there is no key of shared secrets", core.ErrUnavailable)
	}
	plain, err := sealer.Open(s.Place(), s.Sealed)
	if err != nil {
		return nil, fmt.Errorf("exchange: shared secret %s: %w", s.KID, err)
	}
	return jose.NewShared(s.KID, s.Alg, plain)
}

// inspectFor reads an access token for the resources of an application, or for
// this server. Unlike Inspect it also reads one by a shared secret: its own service may ask about
// it, and nobody else is told anything.
func (x *Exchanges) inspectFor(ctx context.Context, c client.Client, text string) (token.Claims, error) {
	if !client.SecretID(jose.SharedID(text)) {
		return x.Inspect(ctx, text, append(slices.Clone(c.Resources), x.policy.Issuer)...)
	}
	v := x.pipe.Store.View(ctx)
	read := x.readingShared(v, text)
	if err := v.Err(); err != nil {
		return token.Claims{}, err
	}
	return x.inspect(ctx, read, slices.DeleteFunc(slices.Clone(c.Resources), func(r string) bool { return r == x.policy.Issuer })...)
}

// readingShared reads a token by the shared secret that it names.
func (x *Exchanges) readingShared(v core.View, text string) func() (claims token.Claims, formed, ours bool) {
	s := v.SecretOf(jose.SharedID(text))
	return func() (claims token.Claims, formed, ours bool) {
		if !s.Exists() {
			return token.Claims{}, true, false
		}
		by, err := x.opened(s)
		if err != nil {
			return token.Claims{}, true, false
		}
		raw, err := by.Verify(text, token.AccessType)
		if err != nil {
			return token.Claims{}, true, false
		}
		claims, ok := token.ReadClaims(raw, s.KID)
		// Whoever has the secret can sign with it: it speaks for its own
		// application, to its own service.
		return claims, true, ok && claims.Client == s.Client && len(claims.Audience) == 1
	}
}
