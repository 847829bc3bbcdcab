package exchange

import (
	"context"
	"crypto"
	"slices"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
)

// A certified is what the certificates of a caller were found to prove, and by
// which registration.
type certified struct {
	good bool
	word check.Word
	by   client.Settings
	auth string
}

// certified judges the certificates of a client that proves itself by them.
// Like asserted it may ask where the client keeps its keys.
func (x *Exchanges) certified(ctx context.Context, proof ClientProof) certified {
	if !client.ValidID(proof.ID) {
		return certified{}
	}
	v := x.pipe.Store.View(ctx)
	c := v.Client(proof.ID)
	if v.Err() != nil || !c.ByCertificate() {
		return certified{}
	}
	out := certified{by: c.Settings, auth: c.Auth}
	var keys jose.KeySet
	if c.Auth == client.AuthSelfSigned && len(proof.Certificates) > 0 {
		keys, _ = x.keysWith(ctx, c.Settings, proof.Certificates[0].PublicKey)
	}
	out.word, out.good = c.Certified(proof.Certificates, x.policy.authorities(), keys, x.pipe.Now())
	return out
}

// keysWith are the keys of a client, asked for again when a certificate has one
// that was not there.
func (x *Exchanges) keysWith(ctx context.Context, s client.Settings, public crypto.PublicKey) (jose.KeySet, error) {
	if s.JWKSURI == "" {
		return jose.ReadJWKS(s.JWKS)
	}
	if x.policy.Keys == nil {
		return jose.KeySet{}, jose.ErrKey
	}
	raw, err := x.policy.Keys.Keys(ctx, s.JWKSURI, func(set []byte) bool {
		s, err := jose.ReadJWKS(set)
		return err == nil && slices.ContainsFunc(s.Keys(), func(k jose.PublicKey) bool { return k.Is(public) })
	})
	if err != nil {
		return jose.KeySet{}, err
	}
	return jose.ReadJWKS(raw)
}

// certifies says whether what was found of the certificates is still about this
// registration, and holds.
func (p *proving) certifies(c client.Client) (check.Word, bool) {
	s := p.certs
	switch {
	case len(p.proof.Certificates) == 0:
		return client.WordNoCertificate, false
	case c.Auth != s.auth || c.Named != s.by.Named || c.JWKSURI != s.by.JWKSURI || !slices.Equal(c.JWKS, s.by.JWKS):
		return client.WordCertChain, false
	case !s.good:
		return s.word, false
	}
	return 0, true
}
