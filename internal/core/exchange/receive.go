package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/token"
)

// Receive reads what an authorization request points to: a request that was
// pushed, one that is signed, a token that names the person. Then it stands by
// itself. What cannot be believed is the request's Trouble, for the judgement.
func (x *Exchanges) Receive(ctx context.Context, r client.Request) (client.Request, error) {
	now := x.pipe.Now()
	switch {
	case r.Object != "" && r.URI != "":
		r.Trouble = client.RequestForm
	case r.URI != "":
		return x.pushed(ctx, r, now)
	case r.Object != "":
		v := x.pipe.Store.View(ctx)
		c := client.Client{}
		if client.ValidID(r.Client) {
			c = v.Client(r.Client)
		}
		if err := v.Err(); err != nil {
			return r, err
		}
		r = x.signed(ctx, c, r)
	}
	return x.means(r), nil
}

// signed reads a request object: what it says is the request, and what stands
// beside it is nothing but the application that it is of (RFC 9101 section 5).
func (x *Exchanges) signed(ctx context.Context, c client.Client, r client.Request) client.Request {
	text, opened := x.openedRequest(c, r.Object)
	if !opened {
		r.Trouble = client.RequestObject
		return r
	}
	keys, err := x.keysOf(ctx, c.JWKS, c.JWKSURI, text)
	if err == nil {
		now := x.pipe.Now()
		if o, ok := client.ReadObject(text, keys, c.Signs(c.RequestAlg)); ok && o.Good(c.ID, x.policy.Issuer, now, x.policy.Token.Leeway) && (!c.FAPI() || !o.NotBefore.IsZero()) {
			out := client.ReadRequest(o.Parameters, r.Asked)
			out.Signed = true
			return out
		}
	}
	r.Trouble = client.RequestObject
	return r
}

// means reads the token that names the person.
func (x *Exchanges) means(r client.Request) client.Request {
	if r.IDHint != "" && r.Trouble == nil {
		hint, ours := token.ReadHint(x.keys.Ring(), x.policy.Issuer, r.IDHint, r.Client)
		if r.Subject = hint.Subject; !ours {
			r.Trouble = client.RequestHint
		}
	}
	return r
}
