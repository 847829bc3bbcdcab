package exchange

import (
	"context"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// setupFor is how long the setup code works (security defaults 3.7).
const setupFor = 30 * time.Minute

var (
	offerSetup = check.Declare(231, "setup.offer", deployment.SetupOpen)
	setup      = check.Declare(25, "setup",
		client.FirstParty, risk.NetworkCalm, deployment.SetupOpen, token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries,
		identity.AddressForm, factor.PasswordGood, factor.HasherFree, identity.AddressFree)
)

// SetupExchange is the declaration, for pages that say what happens.
func SetupExchange() *check.Exchange { return setup }

// A SetupOffer lets whoever has it become the first administrator.
type SetupOffer struct {
	Code  string
	Link  string // path and fragment on the issuer: what follows # is in no log
	Until time.Time
}

// OfferSetup makes the setup code, which only whoever has the host can ask
// for. A newer one ends the older.
func (x *Exchanges) OfferSetup(ctx context.Context, by settle.Caller) (SetupOffer, error) {
	p := x.newProof()
	var out SetupOffer
	err := x.pipe.Run(ctx, offerSetup, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(deployment.SetupOpen, setupOpen(j.Deployment())) {
			return nil
		}
		o := x.offer(j, p, token.ForSetup, token.SubjectOf("setup"), identity.UserID{}, nil, setupFor, asked{}.bytes())
		out = SetupOffer{Code: token.NewLink(p.link), Link: "/setup#" + token.NewLink(p.link), Until: o.Expires}
		return core.Unit{o}
	}, nil)
	return out, err
}

func setupOpen(d deployment.Deployment) bool { return d.Exists() && !d.AdminEver }

// SetupOpen says whether this deployment waits for its first administrator.
func (x *Exchanges) SetupOpen(ctx context.Context) (bool, error) {
	v := x.pipe.Store.View(ctx)
	d := v.Deployment()
	return setupOpen(d), v.Err()
}

// A SetupInput is who becomes the first administrator, with the setup code as
// the link.
type SetupInput struct {
	ConfirmInput
	Email, Name string
}

// Setup trades the setup code for the first administrator and a session. One
// deployment has it done once: however many try, and whatever became of that
// administrator (attack TEN-15).
func (x *Exchanges) Setup(ctx context.Context, by settle.Caller, in SetupInput) (Tokens, error) {
	address, formed := identity.Canonical(in.Email)
	e, pick := x.newEntry(by), x.choose(in.Password, address)
	return e.run(ctx, setup, by, in.ConfirmInput, func(j *settle.Judgement) (newcomer, core.Unit) {
		if !j.Hold(deployment.SetupOpen, setupOpen(j.Deployment())) {
			return newcomer{}, nil
		}
		o := in.once(j, token.ForSetup)
		if !token.HoldOnce(j.Trail, o.Judge(token.ForSetup, 0, j.Now)) || !j.Hold(identity.AddressForm, formed) || !pick.good(j) || !pick.hashed(ctx, j) {
			return newcomer{}, nil
		}
		return newcomer{email: in.Email, address: address, name: settle.Clip(in.Name, nameAtMost), phc: pick.phc, admin: true},
			core.Unit{deployment.Administered{}, token.Spend{ID: o.ID, At: j.Now}}
	})
}
