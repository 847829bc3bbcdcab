package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var changePassword = check.Declare(35, "password.change",
	session.Presented, session.Alive, session.InTime,
	risk.NetworkCalm, risk.AddressRested, factor.HasherFree, factor.PasswordFits, factor.PasswordGood)

// ChangePasswordExchange is the declaration, for pages that say what happens.
func ChangePasswordExchange() *check.Exchange { return changePassword }

// ChangePassword trades a live session and the password for a new password.
// The password is its own proof, as fresh as can be. Every other session ends
// with its families and tokens (ASVS 7.4.3); this one goes on under a new
// secret (ASVS 7.2.4).
func (x *Exchanges) ChangePassword(ctx context.Context, by settle.Caller, cookie, current, chosen string) (newCookie string, err error) {
	who, err := x.Cookie(ctx, cookie)
	if err != nil {
		return "", err
	}
	g, err := x.guess(ctx, by, who.User.Address, current, factor.SignedIn)
	if err != nil {
		return "", err
	}
	defer g.end()
	pick, next := x.choose(chosen, who.User.Address), secret.Random()
	text, wellFormed := token.ParseSession(cookie)
	err = x.pipe.Run(ctx, changePassword, by, func(j *settle.Judgement) core.Unit {
		s, u, ok := x.standing(j, text, wellFormed)
		if !ok || !g.allowed(j) {
			return nil
		}
		pw := j.View.Password(u.ID)
		compared := g.compare(pw.PHC)
		fits, free := compared.fits && pw.Exists(), compared.free
		if fits && pick.finding == factor.Fine {
			free = pick.make(ctx)
		}
		if !j.Hold(factor.HasherFree, free, check.Wait(busyFor)) {
			return nil
		}
		if !j.Hold(factor.PasswordFits, fits) {
			return core.Unit{g.failed(j)}
		}
		if !pick.good(j) {
			return nil
		}
		unit := core.Unit{revocation.Next{}, identity.Cut{ID: u.ID, Guard: u.Guard}, x.event(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, j.Now),
			factor.Replace{User: u.ID, Version: pw.Version, PHC: pick.phc, Changed: j.Now},
			session.Spare{ID: s.ID}, session.Renew{ID: s.ID, Old: s.Hash, New: session.HashOf(next[:]), AuthTime: j.Now, Method: "password"}, token.Spare{Session: s.ID}}
		if g.failures.Count > 0 {
			unit = append(unit, risk.Clear{Key: g.key})
		}
		return append(unit, x.tell(j, outbox.PasswordChanged, u, x.seenAt(by, j.Now))...)
	}, nil)
	if err != nil {
		return "", err
	}
	x.meters.Refund("password", g.network, risk.PasswordTries)
	return token.NewSession(next), nil
}

// Methods says what the caller can sign in with.
func (x *Exchanges) Methods(ctx context.Context, who Who) (factor.Password, error) {
	v := x.pipe.Store.View(ctx)
	pw := v.Password(who.User.ID)
	return pw, v.Err()
}
