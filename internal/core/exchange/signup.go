package exchange

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

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

var (
	signUp = check.Declare(21, "signup",
		identity.SignUpOpen, identity.AddressForm, identity.SignUpDomain, factor.PasswordGood, risk.SignUpsCalm, risk.MailsCalm, factor.HasherFree)
	signUpCode = check.Declare(22, "signup.code",
		client.FirstParty, risk.NetworkCalm, identity.SignUpOpen, token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries,
		token.OnceBrowser, token.OnceFits, identity.SignUpDomain, identity.AddressFree)
	signUpLink = check.Declare(23, "signup.link",
		client.FirstParty, risk.NetworkCalm, identity.SignUpOpen, token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries,
		identity.SignUpDomain, factor.PasswordGood, factor.HasherFree, identity.AddressFree)
	signUpAgain = check.Declare(24, "signup.again",
		identity.SignUpOpen, token.OnceKnown, token.OnceBrowser, token.OnceUnspent, token.OnceInTime, risk.MailsCalm)
)

// SignUpExchange is the declaration, for pages that say what happens.
func SignUpExchange() *check.Exchange { return signUp }

// SignUpCodeExchange is the declaration, for pages that say what happens.
func SignUpCodeExchange() *check.Exchange { return signUpCode }

// SignUpLinkExchange is the declaration, for pages that say what happens.
func SignUpLinkExchange() *check.Exchange { return signUpLink }

// An asked is what somebody who says that a mailbox is theirs wants to become.
// It waits in the one-time object that proves it: until then nobody is in the
// list of people (attack IDN-01).
type asked struct {
	Email string `json:"email"` // as typed
	Name  string `json:"name,omitzero"`
	PHC   string `json:"phc,omitzero"` // of the password chosen by who asked
}

func (a asked) bytes() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // texts of ours, valid UTF-8
	}
	return b
}

// askedFor reads what a one-time object is about. One that is not there is
// about nobody.
func askedFor(o token.Once) (a asked, address string) {
	if o.Exists() && json.Unmarshal(o.Body, &a) == nil {
		address, _ = identity.Canonical(a.Email)
	}
	return a, address
}

// SignsUp says whether people may make their own accounts here. Without mail
// nobody can prove an address.
func (x *Exchanges) SignsUp() bool { return x.policy.Mail && x.policy.SignUp.Any() }

// SignUpInput is what a person types who wants an account.
type SignUpInput struct {
	Email    string
	Name     string
	Password string
	Browser  []byte // the key that binds forms to the browser which asks
}

// SignUp keeps the wish for an account and sends a mail to its address. What
// it does, costs and answers is the same whether there is an account with that
// address or not; the mail says it (attacks ENM-01, ENM-02).
func (x *Exchanges) SignUp(ctx context.Context, by settle.Caller, in SignUpInput) (token.OnceID, error) {
	address, formed := identity.Canonical(in.Email)
	p, pick := x.newProof(), x.choose(in.Password, address)
	err := x.pipe.Run(ctx, signUp, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(identity.SignUpOpen, x.SignsUp()) || !j.Hold(identity.AddressForm, formed) ||
			!j.Hold(identity.SignUpDomain, x.policy.SignUp.Allows(address)) || !pick.good(j) {
			return nil
		}
		sums, wait := risk.Afford(j, "sign-ups", risk.Network(by.Addr).String(), j.Now, x.policy.Scale, risk.SignUpsFrom)
		if !j.Hold(risk.SignUpsCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		unit, wait := x.afford(j, by, address)
		if !j.Hold(risk.MailsCalm, wait == 0, check.Wait(wait)) || !pick.hashed(ctx, j) {
			return nil
		}
		for _, s := range sums {
			unit = append(unit, s)
		}
		o := x.offer(j, p, token.ForSignUp, token.SubjectOf(address), identity.UserID{}, in.Browser, linkFor,
			asked{Email: in.Email, Name: settle.Clip(in.Name, nameAtMost), PHC: pick.phc}.bytes())
		return append(unit, x.confirming(j, p, o, in.Email, address)...)
	}, nil)
	return p.id, err
}

// confirming are the row of a sign-up and its mail. Who has an account is told
// so, and the row is then one that nothing which was sent can spend.
func (x *Exchanges) confirming(j *settle.Judgement, p proof, o token.Offer, email, address string) core.Unit {
	if u := j.UserByAddress(address); u.Exists() {
		o.Code = [32]byte{}
		return append(core.Unit{o}, x.tellAt(j, outbox.AccountExists, identity.UserID{}, u.Email, outbox.Facts{Link: "/sign-in"})...)
	}
	return append(core.Unit{o}, x.tellAt(j, outbox.ConfirmAddress, identity.UserID{}, email,
		outbox.Facts{Code: p.code, Link: "/verify?t=" + token.NewLink(p.link), Until: o.Expires})...)
}

// againFor is how long after a sign-up its mail can be sent again.
const againFor = 24 * time.Hour

// A OnceRef names a one-time object: by the id in the form of the browser that
// asked for it, or by the link of the mail.
type OnceRef struct {
	ID      token.OnceID
	Link    string
	Browser []byte
}

// once reads the object that is named; the zero one when there is none, or
// none of this use.
func (r OnceRef) once(v token.Reader, use token.Use) (o token.Once) {
	if r.Link == "" {
		o = v.Once(r.ID)
	} else if tok, ok := token.ParseLink(r.Link); ok {
		o = v.OnceByLink(token.LinkHash(use, tok))
	}
	if o.Use != use {
		return token.Once{}
	}
	return o
}

// SignUpAgain sends the mail of a sign-up again, with a new code and a new
// link; those of the former one end.
func (x *Exchanges) SignUpAgain(ctx context.Context, by settle.Caller, ref OnceRef) (token.OnceID, error) {
	p := x.newProof()
	err := x.pipe.Run(ctx, signUpAgain, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(identity.SignUpOpen, x.SignsUp()) {
			return nil
		}
		old := ref.once(j, token.ForSignUp)
		want, address := askedFor(old)
		// The link came out of the mailbox: it says where to send a new one.
		if !j.Hold(token.OnceKnown, address != "") || !j.Hold(token.OnceBrowser, ref.Link != "" || old.From(ref.Browser)) ||
			!j.Hold(token.OnceUnspent, old.Spent.IsZero()) || !j.Hold(token.OnceInTime, j.Now.Before(old.Created.Add(againFor))) {
			return nil
		}
		unit, wait := x.afford(j, by, address)
		if !j.Hold(risk.MailsCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		o := x.offer(j, p, token.ForSignUp, old.Subject, identity.UserID{}, nil, linkFor, old.Body)
		o.Browser, o.Code = old.Browser, token.CodeMAC(x.keys.Ring().Code, o.Use, o.ID, p.code)
		return append(unit, x.confirming(j, p, o, want.Email, address)...)
	}, nil)
	return p.id, err
}

// A Waiting is a one-time object as the page of its link or code shows it.
type Waiting struct {
	State token.OnceState
	Email string // what is to be proved; empty when there is nothing to show
	Name  string
	Here  bool // this browser asked for it
	Spent time.Time
	Until time.Time
}

// Waiting looks at a one-time object and changes nothing. An id alone shows
// nothing to another browser than the one that asked (attack SES-01).
func (x *Exchanges) Waiting(ctx context.Context, use token.Use, ref OnceRef) (Waiting, error) {
	v := x.pipe.Store.View(ctx)
	o := ref.once(v, use)
	if err := v.Err(); err != nil {
		return Waiting{}, err
	}
	here := o.From(ref.Browser)
	if ref.Link == "" && !here {
		return Waiting{}, nil
	}
	a, _ := askedFor(o)
	return Waiting{State: o.Judge(use, 0, x.pipe.Now()), Email: a.Email, Name: a.Name, Here: here, Spent: o.Spent, Until: o.Expires}, nil
}

// ConfirmInput is what proves a mailbox: a code in the browser that asked for
// it, or a link.
type ConfirmInput struct {
	OnceRef
	Code     string
	Password string // for a link in another browser than the one that asked
	Origin   string
	Replaces string // the session cookie this browser sent
	// Apart makes the account and leaves the browser signed in as who it is.
	Apart bool
}

// ConfirmCode trades a code for the account that was asked for in the same
// browser, and a session.
func (x *Exchanges) ConfirmCode(ctx context.Context, by settle.Caller, in ConfirmInput) (Tokens, error) {
	n := x.newEntry(by)
	typed, formed := token.ParseCode(in.Code)
	return n.run(ctx, signUpCode, by, in, func(j *settle.Judgement) (newcomer, core.Unit) {
		o := in.once(j, token.ForSignUp)
		want, address := askedFor(o)
		state := o.Judge(token.ForSignUp, 0, j.Now)
		if state == token.OnceGood && !j.Now.Before(o.Created.Add(codeFor)) {
			state = token.OnceOver // the link lives on
		}
		if !j.Hold(identity.SignUpOpen, x.SignsUp()) || !token.HoldOnce(j.Trail, state) || !j.Hold(token.OnceBrowser, o.From(in.Browser)) {
			return newcomer{}, nil
		}
		if !j.Hold(token.OnceFits, formed && o.Fits(x.keys.Ring().Code, typed)) {
			if !formed {
				return newcomer{}, nil // it was compared with nothing
			}
			return newcomer{}, core.Unit{token.Try{ID: o.ID, From: o.Tries}}
		}
		if !j.Hold(identity.SignUpDomain, x.policy.SignUp.Allows(address)) {
			return newcomer{}, nil
		}
		return newcomer{email: want.Email, address: address, name: want.Name, phc: want.PHC}, core.Unit{token.Spend{ID: o.ID, At: j.Now}}
	})
}

// ConfirmLink trades a link for the account that was asked for. Who opens it
// in another browser owns the mailbox, but who asked may have been anybody:
// then the password chosen there is thrown away and the owner's is taken
// (attack IDN-01).
func (x *Exchanges) ConfirmLink(ctx context.Context, by settle.Caller, in ConfirmInput) (Tokens, error) {
	n := x.newEntry(by)
	var pick *choice
	return n.run(ctx, signUpLink, by, in, func(j *settle.Judgement) (newcomer, core.Unit) {
		o := in.once(j, token.ForSignUp)
		want, address := askedFor(o)
		if !j.Hold(identity.SignUpOpen, x.SignsUp()) || !token.HoldOnce(j.Trail, o.Judge(token.ForSignUp, 0, j.Now)) ||
			!j.Hold(identity.SignUpDomain, x.policy.SignUp.Allows(address)) {
			return newcomer{}, nil
		}
		out := newcomer{email: want.Email, address: address, name: want.Name, phc: want.PHC}
		if o.From(in.Browser) {
			j.Hold(factor.PasswordGood, true) // when it was asked
			j.Hold(factor.HasherFree, true)
		} else {
			if pick == nil {
				pick = x.choose(in.Password, address)
			}
			if !pick.good(j) || !pick.hashed(ctx, j) {
				return newcomer{}, nil
			}
			out.name, out.phc = "", pick.phc // a stranger may have chosen both
		}
		return out, core.Unit{token.Spend{ID: o.ID, At: j.Now}}
	})
}
