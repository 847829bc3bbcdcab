package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/token"
)

// Receive reads what an authorization request points to, so that it stands by
// itself. What cannot be read is the request's Trouble, for the judgement.
func (x *Exchanges) Receive(_ context.Context, r client.Request) (client.Request, error) {
	if r.IDHint != "" {
		hint, ours := token.ReadHint(x.keys.Ring(), x.policy.Issuer, r.IDHint, r.Client)
		if r.Subject = hint.Subject; !ours {
			r.Trouble = client.RequestHint
		}
	}
	return r, nil
}
