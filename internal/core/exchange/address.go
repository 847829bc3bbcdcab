package exchange

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

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

var (
	addressAsk = check.Declare(36, "address.ask",
		session.Presented, session.Alive, session.InTime, session.FreshEnough, identity.AddressForm, risk.MailsCalm)
	addressCode = check.Declare(37, "address.code",
		session.Presented, session.Alive, session.InTime, risk.NetworkCalm,
		token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries, token.OnceBrowser, codesRested, token.OnceFits, identity.AddressFree)
	addressLink = check.Declare(38, "address.link", risk.NetworkCalm,
		token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries, identity.IsActive, identity.AddressFree)
	addressUndo = check.Declare(39, "address.undo", risk.NetworkCalm,
		token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries, identity.AddressFree)
)

// AddressExchanges are the declarations, for pages that say what happens.
func AddressExchanges() (ask, code, link, undo *check.Exchange) {
	return addressAsk, addressCode, addressLink, addressUndo
}

// undoFor is how long the old address can take a change back (security
// defaults 3.3).
const undoFor = 7 * 24 * time.Hour

// A moving is what a one-time object keeps of a change of address: where to,
// or back to, and the session that asked.
type moving struct {
	Email   string `json:"email"`
	Session string `json:"session,omitzero"`
}

func (m moving) bytes() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // texts of ours, valid UTF-8
	}
	return b
}

// movingOf reads it; an object that is not there moves nobody.
func movingOf(o token.Once) (m moving, address string) {
	if o.Exists() && json.Unmarshal(o.Body, &m) == nil {
		address, _ = identity.Canonical(m.Email)
	}
	return m, address
}

// AskAddress mails a proof to the address that the caller wants. Whether
// somebody has it already is said to that mailbox alone (attack ENM-01).
func (x *Exchanges) AskAddress(ctx context.Context, by settle.Caller, cookie, email string, browserKey []byte) (token.OnceID, error) {
	address, formed := identity.Canonical(email)
	text, wellFormed := token.ParseSession(cookie)
	p := x.newProof()
	err := x.pipe.Run(ctx, addressAsk, by, func(j *settle.Judgement) core.Unit {
		s, u, ok := x.standing(j, text, wellFormed)
		if !ok || !fresh(j, s, session.ChangingAddress) || !j.Hold(identity.AddressForm, formed) {
			return nil
		}
		unit, wait := x.afford(j, by, address)
		if !j.Hold(risk.MailsCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		o := x.offer(j, p, token.ForAddress, token.SubjectOf(u.ID.String()), u.ID, browserKey, linkFor, moving{email, s.ID.String()}.bytes())
		if other := j.UserByAddress(address); other.Exists() && other.ID != u.ID {
			o.Code = [32]byte{} // nothing that was sent spends it
			return append(append(unit, o), x.tellAt(j, outbox.AccountExists, identity.UserID{}, other.Email, outbox.Facts{Link: "/sign-in"})...)
		}
		return append(append(unit, o), x.tellAt(j, outbox.ConfirmNewAddress, u.ID, email,
			outbox.Facts{Code: p.code, Link: "/address/confirm?t=" + token.NewLink(p.link), Until: o.Expires})...)
	}, nil)
	return p.id, err
}

// AddressByCode trades the code of the new mailbox, typed in the browser that
// asked, for the change.
func (x *Exchanges) AddressByCode(ctx context.Context, by settle.Caller, cookie string, id token.OnceID, typed string, browserKey []byte) error {
	code, _ := token.ParseCode(typed)
	text, wellFormed := token.ParseSession(cookie)
	calm := x.meters.Take("once", risk.Network(by.Addr).String(), x.pipe.Now(), risk.PasswordTries)
	next := x.newProof()
	return x.pipe.Run(ctx, addressCode, by, func(j *settle.Judgement) core.Unit {
		s, u, ok := x.standing(j, text, wellFormed)
		if !ok || !j.Hold(risk.NetworkCalm, calm == 0, check.Wait(calm)) {
			return nil
		}
		o := j.Once(id)
		if o.User != u.ID {
			o = token.Once{}
		}
		if !token.HoldOnce(j.Trail, o.JudgeCode(token.ForAddress, u.Cut, j.Now, codeFor)) || !j.Hold(token.OnceBrowser, o.From(browserKey)) {
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
		if !j.Hold(token.OnceFits, o.Fits(x.keys.Ring().Code, code), check.Count(o.Tries+1)) {
			return unit
		}
		return append(unit, x.moved(j, by, o, u, s, next)...)
	}, nil)
}

// AddressByLink is AddressByCode for the link, which works in any browser.
func (x *Exchanges) AddressByLink(ctx context.Context, by settle.Caller, link string) error {
	tok, _ := token.ParseLink(link)
	calm := x.meters.Take("once", risk.Network(by.Addr).String(), x.pipe.Now(), risk.PasswordTries)
	next := x.newProof()
	return x.pipe.Run(ctx, addressLink, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(risk.NetworkCalm, calm == 0, check.Wait(calm)) {
			return nil
		}
		o := j.OnceByLink(token.LinkHash(token.ForAddress, tok))
		m, _ := movingOf(o)
		u := j.View.User(o.User)
		j.User = u.ID
		if !token.HoldOnce(j.Trail, o.JudgeLink(token.ForAddress, u.Cut, j.Now)) || !j.Hold(identity.IsActive, u.State == identity.Active) {
			return nil
		}
		asked, _ := session.ParseID(m.Session)
		return x.moved(j, by, o, u, j.View.Session(asked), next)
	}, nil)
}

// moved changes the address of a person who proved the new one. A new address
// is a new way in: every session but the one that asked ends, and with them
// every link and code from before (attack REC-08). The old address can take it
// back for a week.
func (x *Exchanges) moved(j *settle.Judgement, by settle.Caller, o token.Once, u identity.User, s session.Session, next proof) core.Unit {
	m, address := movingOf(o)
	other := j.UserByAddress(address)
	if !j.Hold(identity.AddressFree, address != "" && (!other.Exists() || other.ID == u.ID)) {
		return nil
	}
	unit := core.Unit{revocation.Next{}, identity.Readdress{ID: u.ID, Guard: u.Guard, Email: m.Email, Address: address},
		x.event(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, j.Now), token.Spend{ID: o.ID, At: j.Now}}
	if session.Judge(s, u, j.Now) == session.Live {
		unit = append(unit, session.Spare{ID: s.ID}, token.Spare{Session: s.ID})
	}
	// One for each change: an attacker who changes the address twice takes
	// nothing from the first one's way back.
	back := x.offer(j, next, token.ForUndoAddress, token.SubjectOf(next.id.String()), u.ID, nil, undoFor, moving{Email: u.Email}.bytes())
	facts := x.seenAt(by, j.Now)
	facts.Link, facts.Until, facts.Mail = "/address/undo?t="+token.NewLink(next.link), back.Expires, m.Email
	return append(append(unit, back), x.tell(j, outbox.AddressChanging, u, facts)...)
}

// UndoAddress takes a change of address back, for who holds the link that the
// old mailbox was sent. It holds whatever was changed since: password,
// sessions, and later addresses, whose own ways back end with it. Who was in
// may have known or chosen the password, so that opens nothing any more, and
// may have asked for the account's deletion, so that is taken back.
func (x *Exchanges) UndoAddress(ctx context.Context, by settle.Caller, link string) error {
	tok, _ := token.ParseLink(link)
	calm := x.meters.Take("once", risk.Network(by.Addr).String(), x.pipe.Now(), risk.PasswordTries)
	return x.pipe.Run(ctx, addressUndo, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(risk.NetworkCalm, calm == 0, check.Wait(calm)) {
			return nil
		}
		o, u := undoing(j.View, tok)
		j.User = u.ID
		if !token.HoldOnce(j.Trail, o.JudgeLink(token.ForUndoAddress, 0, j.Now)) {
			return nil
		}
		m, address := movingOf(o)
		other := j.UserByAddress(address)
		if !j.Hold(identity.AddressFree, address != "" && (!other.Exists() || other.ID == u.ID)) {
			return nil
		}
		unit := core.Unit{revocation.Next{}, identity.Readdress{ID: u.ID, Guard: u.Guard, Email: m.Email, Address: address},
			x.event(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, j.Now),
			factor.Distrust{User: u.ID}, session.UnrecogniseAll{User: u.ID},
			token.Spend{ID: o.ID, At: j.Now}, token.VoidLater{Use: token.ForUndoAddress, User: u.ID, Rev: o.Rev, At: j.Now}}
		unit = append(unit, stays(u, u.Guard+1)...)
		return append(unit, x.tellAt(j, outbox.AddressRestored, u.ID, m.Email, x.seenAt(by, j.Now))...)
	}, nil)
}

// undoing reads the object of a link and whose it is; nobody's is none.
func undoing(v core.View, tok []byte) (token.Once, identity.User) {
	o := v.OnceByLink(token.LinkHash(token.ForUndoAddress, tok))
	u := v.User(o.User)
	if !u.Exists() {
		return token.Once{}, u
	}
	return o, u
}

// LookAtAddress reads which address the link of a new mailbox is about, and
// changes nothing.
func (x *Exchanges) LookAtAddress(ctx context.Context, link string) (email string, err error) {
	return x.lookAt(ctx, addressLink, func(j *settle.Judgement) string {
		tok, _ := token.ParseLink(link)
		o := j.OnceByLink(token.LinkHash(token.ForAddress, tok))
		u := j.View.User(o.User)
		token.HoldOnce(j.Trail, o.JudgeLink(token.ForAddress, u.Cut, j.Now))
		j.Hold(identity.IsActive, u.State == identity.Active)
		j.Hold(identity.AddressFree, true)
		m, _ := movingOf(o)
		return m.Email
	})
}

// LookAtUndo is LookAtAddress for the link of the old mailbox.
func (x *Exchanges) LookAtUndo(ctx context.Context, link string) (email string, err error) {
	return x.lookAt(ctx, addressUndo, func(j *settle.Judgement) string {
		tok, _ := token.ParseLink(link)
		o, _ := undoing(j.View, tok)
		token.HoldOnce(j.Trail, o.JudgeLink(token.ForUndoAddress, 0, j.Now))
		j.Hold(identity.AddressFree, true)
		m, _ := movingOf(o)
		return m.Email
	})
}

// lookAt judges a link without spending it. Limits and what others have are
// judged when the button is pressed.
func (x *Exchanges) lookAt(ctx context.Context, of *check.Exchange, judge func(*settle.Judgement) string) (string, error) {
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: of.Begin(), Now: x.pipe.Now()}
	j.Hold(risk.NetworkCalm, true)
	email := judge(j)
	if err := j.Err(); err != nil {
		return "", err
	}
	_, err := j.Close()
	return email, err
}
