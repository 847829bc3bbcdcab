package exchange

import (
	"context"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// invitedFor is how long an invitation works (security defaults 3.3).
const invitedFor = 72 * time.Hour

var (
	invite           = check.Declare(232, "user.invite", identity.AddressForm, identity.AddressFree)
	acceptInvitation = check.Declare(26, "invitation.accept",
		client.FirstParty, risk.NetworkCalm, token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries,
		factor.PasswordGood, factor.HasherFree, identity.AddressFree)
)

// InvitationExchange is the declaration, for pages that say what happens.
func InvitationExchange() *check.Exchange { return acceptInvitation }

// An Invitation is what came of inviting somebody.
type Invitation struct {
	Email string
	Link  string // path and query on the issuer; whoever has it makes the account
	Sent  bool   // by mail
	Until time.Time
}

// Invite lets the owner of an address make their account, whatever the policy
// of sign-up. A newer invitation ends the older one of the same address.
func (x *Exchanges) Invite(ctx context.Context, by settle.Caller, email, name string) (Invitation, error) {
	address, formed := identity.Canonical(email)
	name = settle.Clip(name, nameAtMost)
	p := x.newProof()
	var out Invitation
	err := x.pipe.Run(ctx, invite, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(identity.AddressForm, formed) || !j.Hold(identity.AddressFree, !j.UserByAddress(address).Exists()) {
			return nil
		}
		o := x.offer(j, p, token.ForInvitation, token.SubjectOf(address), identity.UserID{}, nil, invitedFor, asked{Email: email, Name: name}.bytes())
		out = Invitation{Email: email, Link: "/invite?t=" + token.NewLink(p.link), Sent: x.policy.Mail, Until: o.Expires}
		return append(core.Unit{o}, x.tellAt(j, outbox.Invitation, identity.UserID{}, email, outbox.Facts{Name: name, Link: out.Link, Until: o.Expires})...)
	}, nil)
	return out, err
}

// AcceptInvitation trades an invitation for the account of its address, with
// a name and a password of the owner's choice, and a session.
func (x *Exchanges) AcceptInvitation(ctx context.Context, by settle.Caller, in ConfirmInput, name string) (Tokens, error) {
	e := x.newEntry(by)
	var pick *choice
	return e.run(ctx, acceptInvitation, by, in, func(j *settle.Judgement) (newcomer, core.Unit) {
		o := in.once(j, token.ForInvitation)
		want, address := askedFor(o)
		if !token.HoldOnce(j.Trail, o.Judge(token.ForInvitation, 0, j.Now)) {
			return newcomer{}, nil
		}
		if pick == nil {
			pick = x.choose(in.Password, address)
		}
		if !pick.good(j) || !pick.hashed(ctx, j) {
			return newcomer{}, nil
		}
		return newcomer{email: want.Email, address: address, name: settle.Clip(name, nameAtMost), phc: pick.phc}, core.Unit{token.Spend{ID: o.ID, At: j.Now}}
	})
}
