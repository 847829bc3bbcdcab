package exchange

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
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

// Checks of recovery.
var (
	codesRested = check.New(check.Check{Number: 852, ID: "recover.codes", Fault: fault.Slow, Shown: "recover.codes",
		Says: "Few enough codes were typed for this address lately.", Source: "NIST SP 800-63B-4 section 3.2.2; ASVS 6.3.1",
		Title: "Too many codes were tried.", Stops: []string{"REC-09", "MFA-03"}})
	mailboxProved = check.New(check.Check{Number: 853, ID: "recover.proved", Fault: fault.Denied, Shown: "recover.proved",
		Says: "In this browser, a short while ago, a code or link proved that the mailbox is theirs.", Source: "ASVS 6.4.3; OWASP Forgot Password",
		Title: "Prove first that the mailbox is yours.", Stops: []string{"REC-02"}})
)

var (
	recoverAsk  = check.Declare(31, "recover.ask", identity.AddressForm, risk.MailsCalm)
	recoverCode = check.Declare(32, "recover.code", risk.NetworkCalm,
		token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries, token.OnceBrowser, codesRested, token.OnceFits, identity.IsActive)
	recoverLink = check.Declare(33, "recover.link", risk.NetworkCalm,
		token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries, identity.IsActive)
	recoverPassword = check.Declare(34, "recover.password", mailboxProved, identity.IsActive, factor.PasswordGood, factor.HasherFree)
)

// RecoverExchanges are the declarations of the three steps, for pages that
// say what happens: ask, prove (by code or by link), choose.
func RecoverExchanges() (ask, code, link, choose *check.Exchange) {
	return recoverAsk, recoverCode, recoverLink, recoverPassword
}

// provedFor is how long a proved mailbox lets somebody choose a password.
const provedFor = 15 * time.Minute

// Recover sends a way back in to whoever has an address, and answers alike
// whether anybody has: the same checks, the same writes (attack ENM-01). The
// mail goes to the address of the stored row, never to the one that was typed
// (attacks REC-01, REC-07).
func (x *Exchanges) Recover(ctx context.Context, by settle.Caller, email string, browserKey []byte) (token.OnceID, error) {
	address, canonical := identity.Canonical(email)
	if !canonical {
		// It names nobody; it is counted like any unknown address.
		address = "?" + strings.ToLower(settle.Clip(email, 320))
	}
	p := x.newProof()
	err := x.pipe.Run(ctx, recoverAsk, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(identity.AddressForm, canonical || identity.Plausible(email)) {
			return nil
		}
		pays, wait := x.afford(j, by, address)
		if !j.Hold(risk.MailsCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		u := j.UserByAddress(address)
		j.User = u.ID
		unit := append(pays, x.offer(j, p, token.ForRecovery, token.SubjectOf(address), u.ID, browserKey, linkFor, nil))
		// That there is no account is said once a day. Who has one pays for it
		// too, so that both write the same.
		once, later := risk.Afford(j, "no account", address, j.Now, x.policy.Scale, risk.NoAccounts)
		for _, pay := range once {
			unit = append(unit, pay)
		}
		switch {
		case u.Exists():
			return append(unit, x.tell(j, outbox.Recover, u, x.wayBack(p, j.Now))...)
		case canonical && later == 0:
			return append(unit, x.tellAt(j, outbox.NoAccount, identity.UserID{}, address, outbox.Facts{})...)
		}
		return append(unit, x.tellNobody(j, x.wayBack(p, j.Now))...)
	}, nil)
	return p.id, err
}

func (x *Exchanges) wayBack(p proof, now time.Time) outbox.Facts {
	return outbox.Facts{Code: p.code, Link: "/recover/link?t=" + token.NewLink(p.link), Until: now.Add(linkFor)}
}

// tellNobody writes a mail that has ended before it is sent: it keeps a unit
// the same when there is nobody to tell.
func (x *Exchanges) tellNobody(j *settle.Judgement, facts outbox.Facts) core.Unit {
	u := x.tellAt(j, outbox.Recover, identity.UserID{}, "nobody@invalid", facts)
	for i, w := range u {
		if m, ok := w.(outbox.Tell); ok {
			m.Expires = j.Now
			u[i] = m
		}
	}
	return u
}

// RecoverByCode trades the code of a recovery mail, typed in the browser that
// asked for it, for the right to choose a password in that browser. nextKey is
// what the browser's forms are bound to from then on: a key that somebody
// planted proves nothing (attack SES-02).
func (x *Exchanges) RecoverByCode(ctx context.Context, by settle.Caller, id token.OnceID, typed string, browserKey, nextKey []byte) (token.OnceID, error) {
	code, _ := token.ParseCode(typed)
	calm := x.meters.Take("once", risk.Network(by.Addr).String(), x.pipe.Now(), risk.PasswordTries)
	next := x.newProof()
	err := x.pipe.Run(ctx, recoverCode, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(risk.NetworkCalm, calm == 0, check.Wait(calm)) {
			return nil
		}
		o := j.Once(id)
		u := j.View.User(o.User)
		if !token.HoldOnce(j.Trail, o.JudgeCode(token.ForRecovery, u.Cut, j.Now, codeFor)) || !j.Hold(token.OnceBrowser, o.From(browserKey)) {
			return nil
		}
		pays, wait := risk.Afford(j, "codes of", string(o.Subject[:]), j.Now, x.policy.Scale, risk.CodeTries)
		if !j.Hold(codesRested, wait == 0, check.Wait(wait)) {
			return nil
		}
		unit := core.Unit{token.Try{ID: o.ID, From: o.Tries}}
		for _, pay := range pays {
			unit = append(unit, pay)
		}
		j.User = u.ID
		// An address that nobody has was sent no code, so none fits.
		if !j.Hold(token.OnceFits, o.Fits(x.keys.Ring().Code, code) && u.Exists(), check.Count(o.Tries+1)) {
			return unit
		}
		if !j.Hold(identity.IsActive, u.State == identity.Active) {
			return unit
		}
		return append(unit, x.proved(j, o, u, next, nextKey)...)
	}, nil)
	return next.id, err
}

// RecoverByLink is RecoverByCode for the link, which works in any browser.
func (x *Exchanges) RecoverByLink(ctx context.Context, by settle.Caller, link string, nextKey []byte) (token.OnceID, error) {
	tok, _ := token.ParseLink(link)
	calm := x.meters.Take("once", risk.Network(by.Addr).String(), x.pipe.Now(), risk.PasswordTries)
	next := x.newProof()
	err := x.pipe.Run(ctx, recoverLink, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(risk.NetworkCalm, calm == 0, check.Wait(calm)) {
			return nil
		}
		o := j.OnceByLink(token.LinkHash(token.ForRecovery, tok))
		u := j.View.User(o.User)
		j.User = u.ID
		if !token.HoldOnce(j.Trail, o.JudgeLink(token.ForRecovery, u.Cut, j.Now)) ||
			!j.Hold(identity.IsActive, u.State == identity.Active) {
			return nil
		}
		return x.proved(j, o, u, next, nextKey)
	}, nil)
	return next.id, err
}

// proved spends what proved a mailbox, and keeps that it did, for one browser.
// What comes next is read from that row and from nothing that is sent.
func (x *Exchanges) proved(j *settle.Judgement, o token.Once, u identity.User, next proof, nextKey []byte) core.Unit {
	right := x.offer(j, next, token.ForNewPassword, token.SubjectOf(u.ID.String()), u.ID, nextKey, provedFor, nil)
	right.Code, right.Body = [32]byte{}, binary.BigEndian.AppendUint64(nil, u.Cut)
	return core.Unit{token.Spend{ID: o.ID, At: j.Now}, right}
}

// LookAtRecovery reads whose recovery a link is, and changes nothing: scanners
// of mail follow links too.
func (x *Exchanges) LookAtRecovery(ctx context.Context, link string) (identity.User, error) {
	tok, _ := token.ParseLink(link)
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: recoverLink.Begin(), Now: x.pipe.Now()}
	o := j.OnceByLink(token.LinkHash(token.ForRecovery, tok))
	u := j.View.User(o.User)
	j.Hold(risk.NetworkCalm, true)
	token.HoldOnce(j.Trail, o.JudgeLink(token.ForRecovery, u.Cut, j.Now))
	j.Hold(identity.IsActive, u.State == identity.Active)
	if err := j.Err(); err != nil {
		return identity.User{}, err
	}
	_, err := j.Close()
	return u, err
}

// recovering finds who may choose a password in a browser.
func recovering(v core.View, id token.OnceID, browserKey []byte, now time.Time) (token.Once, identity.User, bool) {
	o := v.Once(id)
	u := v.User(o.User)
	return o, u, o.Judge(token.ForNewPassword, u.Cut, now) == token.OnceGood && o.From(browserKey) && u.Exists()
}

// Recovering says who may choose a password in this browser.
func (x *Exchanges) Recovering(ctx context.Context, id token.OnceID, browserKey []byte) (identity.User, error) {
	v := x.pipe.Store.View(ctx)
	_, u, proved := recovering(v, id, browserKey, x.pipe.Now())
	if err := v.Err(); err != nil {
		return identity.User{}, err
	}
	if !proved {
		return identity.User{}, check.Refuse(mailboxProved)
	}
	return u, nil
}

// ChoosePassword gives a person who proved their mailbox a new password. All
// that the old one opened ends: sessions, families, access tokens, and every
// other link and code. It is no sign-in (OWASP Forgot Password).
func (x *Exchanges) ChoosePassword(ctx context.Context, by settle.Caller, id token.OnceID, browserKey []byte, password string) error {
	var pick *choice
	return x.pipe.Run(ctx, recoverPassword, by, func(j *settle.Judgement) core.Unit {
		o, u, proved := recovering(j.View, id, browserKey, j.Now)
		j.User = u.ID
		if !j.Hold(mailboxProved, proved) || !j.Hold(identity.IsActive, u.State == identity.Active) {
			return nil
		}
		if pick == nil {
			pick = x.choose(password, u.Address)
		}
		if !pick.good(j) || !pick.hashed(ctx, j) {
			return nil
		}
		unit := core.Unit{revocation.Next{}, identity.Cut{ID: u.ID, Guard: u.Guard}, x.event(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, j.Now),
			token.Spend{ID: o.ID, At: j.Now}}
		if pw := j.View.Password(u.ID); pw.Exists() {
			unit = append(unit, factor.Replace{User: u.ID, Version: pw.Version, PHC: pick.phc, Changed: j.Now})
		} else {
			unit = append(unit, factor.Enrol{User: u.ID, PHC: pick.phc, Changed: j.Now})
		}
		facts := x.seenAt(by, j.Now)
		facts.Count = len(liveOf(j.View, u, j.Now))
		unit = append(unit, x.tell(j, outbox.Recovered, u, facts)...)
		return append(unit, x.tell(j, outbox.PasswordChanged, u, x.seenAt(by, j.Now))...)
	}, nil)
}

// seenAt is what a notice says of who did it.
func (x *Exchanges) seenAt(by settle.Caller, now time.Time) outbox.Facts {
	f := outbox.Facts{When: now}
	if by.Addr.IsValid() {
		f.IP = by.Addr.String()
	}
	return f
}

// liveOf are a person's live sessions.
func liveOf(v core.View, u identity.User, now time.Time) (live []session.Session) {
	for _, s := range v.Sessions(session.Query{User: u.ID, Limit: listAtMost}) {
		if session.Judge(s, u, now) == session.Live {
			live = append(live, s)
		}
	}
	return live
}

// Recovered says, to the browser in which a password was chosen, whose it was
// and which sessions that ended.
func (x *Exchanges) Recovered(ctx context.Context, id token.OnceID, browserKey []byte) (identity.User, []session.Session, error) {
	v, now := x.pipe.Store.View(ctx), x.pipe.Now()
	o := v.Once(id)
	u := v.User(o.User)
	all := v.Sessions(session.Query{User: u.ID, Limit: listAtMost})
	if err := v.Err(); err != nil {
		return identity.User{}, nil, err
	}
	if o.Use != token.ForNewPassword || o.Spent.IsZero() || !o.From(browserKey) || !now.Before(o.Spent.Add(provedFor)) {
		return identity.User{}, nil, check.Refuse(mailboxProved)
	}
	before := u
	if before.Cut = 0; len(o.Body) == 8 {
		before.Cut = binary.BigEndian.Uint64(o.Body) // as it was when the mailbox was proved
	}
	ended := all[:0]
	for _, s := range all {
		if s.Rev < u.Cut && session.Judge(s, before, o.Spent) == session.Live {
			ended = append(ended, s)
		}
	}
	return u, ended, nil
}

// operatorFor is how long the link lives that an operator asks for.
const operatorFor = time.Hour

var recoverUser = check.Declare(281, "user.recover", identity.Found, identity.IsActive, mailOrPrint)

var mailOrPrint = check.New(check.Check{Number: 854, ID: "recover.reaches", Fault: fault.Conflict, Shown: "recover.reaches",
	Says: "The way back can reach the person: by mail, or printed for who asks.", Source: "ASVS 6.4.6",
	Title: "This server sends no mail. Ask for the link to be printed."})

// RecoverUser lets an operator start a recovery. They choose no password and
// see none (ASVS 6.4.6): a mail goes out, and with print the link is given to
// whoever has the host.
func (x *Exchanges) RecoverUser(ctx context.Context, by settle.Caller, id identity.UserID, print bool) (link string, until time.Time, err error) {
	p := x.newProof()
	path := "/recover/link?t=" + token.NewLink(p.link)
	err = x.pipe.Run(ctx, recoverUser, by, func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) {
			return nil
		}
		j.User = u.ID
		if !j.Hold(identity.IsActive, u.State == identity.Active) || !j.Hold(mailOrPrint, print || x.policy.Mail) {
			return nil
		}
		until = j.Now.Add(operatorFor)
		return append(core.Unit{x.offer(j, p, token.ForRecovery, token.SubjectOf(u.Address), u.ID, nil, operatorFor, nil)},
			x.tell(j, outbox.Recover, u, outbox.Facts{Link: path, Until: until, By: "An administrator"})...)
	}, nil)
	if err != nil || !print {
		return "", until, err
	}
	return x.policy.Issuer + path, until, nil
}
