package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var (
	presentProof = check.Declare(320, "token.present_proof", append(token.ProofChecks[:len(token.ProofChecks):len(token.ProofChecks)], token.AccessSender, token.ProofUnspent)...)
	bringProof   = check.Declare(321, "client.proof", token.ProofChecks...)
)

// Nonce is what DPoP proofs are to carry, where they are asked for one.
func (x *Exchanges) Nonce() string { return token.NewNonce(x.keys.Ring(), x.pipe.Now()) }

// Access reads the access token that a request shows, when it is ours, for us,
// alive, and sent by whom it is bound to.
func (x *Exchanges) Access(ctx context.Context, s token.Shown) (token.Claims, error) {
	c, err := x.Inspect(ctx, s.Access, x.policy.Issuer)
	if err != nil {
		return token.Claims{}, err
	}
	if err := x.sender(s, c.Confirm); err != nil {
		return token.Claims{}, err
	}
	return c, nil
}

// sender holds a good access token against whoever sends it: one that is bound
// to a certificate comes beside that (RFC 8705 section 3); one that is bound to
// a key is refused as Bearer, and without a proof of the key that was not used
// before (RFC 9449 section 7). Nothing is written here that could keep used proofs, so
// this node remembers them for as long as they could be good.
func (x *Exchanges) sender(s token.Shown, to token.Confirm) error {
	if !to.Beside(s.Certificate) {
		return check.Refuse(token.AccessCertificate)
	}
	if !s.DPoP {
		if to.JKT != "" {
			return check.Refuse(token.AccessSender)
		}
		return nil
	}
	t, now := presentProof.Begin(), x.pipe.Now()
	if p, ok := s.Hold(t, x.keys.Ring(), x.policy.DPoPNonce, now); ok && t.Hold(token.AccessSender, p.JKT == to.JKT) {
		t.Hold(token.ProofUnspent, x.seen.First(p, now))
	}
	_, err := t.Close()
	return err
}

// bind holds what there is to say of the proof that a token request brings,
// ProofDemanded and ProofUnspent, and gives what its tokens are bound to, with
// the write that uses the proof up: on every node of one store it counts once
// (RFC 9449 section 11.1). Of an application that is registered so they are
// bound to its certificate as well (RFC 8705 section 3).
func (p *proving) bind(j *settle.Judgement, c client.Client) (to token.Confirm, ok bool) {
	proof := p.proof.Key
	if c.CertificateBound {
		to.X5T = token.CertificateHash(p.proof.Certificates)
	}
	if !j.Hold(token.ProofDemanded, proof.Exists() || !c.BoundTokens && (!c.FAPI() || to.X5T != "")) {
		return to, false
	}
	to.JKT = proof.JKT
	return to, p.spendProof(j)
}

// spendProof holds ProofUnspent, and uses the proof up that a request brings.
func (p *proving) spendProof(j *settle.Judgement) bool {
	proof := p.proof.Key
	if !proof.Exists() {
		return j.Hold(token.ProofUnspent, true)
	}
	once := token.SpendOnce{Use: token.AsDPoP, Hash: proof.Hash(), Until: proof.At.Add(token.ProofKept)}
	if !j.Hold(token.ProofUnspent, !j.Spent(once.Use, once.Hash).Exists()) {
		return false
	}
	j.Also(once)
	return true
}

// Prove reads the proof that a request to the token endpoint shows; that it was
// not used before is for the exchange that it asks for.
func (x *Exchanges) Prove(s token.Shown) (token.Proof, error) {
	t := bringProof.Begin()
	p, _ := s.Hold(t, x.keys.Ring(), x.policy.DPoPNonce, x.pipe.Now())
	_, err := t.Close()
	return p, err
}
