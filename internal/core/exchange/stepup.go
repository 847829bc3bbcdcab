package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var stepUp = check.Declare(7, "stepup.password",
	session.Presented, session.Alive, session.InTime,
	risk.NetworkCalm, risk.AddressRested, factor.HasherFree, factor.PasswordFits, factor.PasswordTrusted)

// StepUpExchange is the declaration, for pages that say what happens.
func StepUpExchange() *check.Exchange { return stepUp }

// StepUp trades a live session and the password for the same session, freshly
// proved and under a new secret (ASVS 7.2.4).
func (x *Exchanges) StepUp(ctx context.Context, by settle.Caller, cookie, password string) (newCookie string, err error) {
	who, err := x.Cookie(ctx, cookie)
	if err != nil {
		return "", err
	}
	g, err := x.guess(ctx, by, who.User.Address, password, factor.SignedIn)
	if err != nil {
		return "", err
	}
	defer g.end()
	next := secret.Random()
	text, wellFormed := token.ParseSession(cookie)
	err = x.pipe.Run(ctx, stepUp, by, func(j *settle.Judgement) core.Unit {
		s, u, ok := x.standing(j, text, wellFormed)
		if !ok || !g.allowed(j) {
			return nil
		}
		pw := j.View.Password(u.ID)
		fits, free := g.fits(j, pw)
		if !free {
			return nil
		}
		if !j.Hold(factor.PasswordFits, fits && pw.Exists()) {
			return core.Unit{g.failed(j)}
		}
		if !j.Hold(factor.PasswordTrusted, !pw.Distrusted) {
			return g.succeeded(j, pw)
		}
		unit := core.Unit{revocation.Next{}, x.changed(s.ID, j.Now),
			factor.Use{User: u.ID, Version: pw.Version, At: j.Now},
			session.Renew{ID: s.ID, Old: s.Hash, New: session.HashOf(next[:]), AuthTime: j.Now, Method: "password"}}
		return append(unit, g.succeeded(j, pw)...)
	}, nil)
	if err != nil {
		return "", err
	}
	x.meters.Refund("password", g.network, risk.PasswordTries)
	return token.NewSession(next), nil
}
