package exchange

import (
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// How long what a mail carries may be used (security defaults 3.3).
const (
	codeFor = 10 * time.Minute
	linkFor = 20 * time.Minute
)

// A proof is what is asked of somebody who says that a mailbox is theirs: the
// row to keep, and the link and code that only the mail says. It is made once
// for an exchange, however often that is judged.
type proof struct {
	id   token.OnceID
	link [32]byte
	code string
}

func (x *Exchanges) newProof() proof {
	return proof{token.NewOnceID(x.pipe.Now(), secret.Random16()), secret.Random(), secret.Digits(token.CodeDigits)}
}

// offer is the row of a proof. The code works in the browser that asked; the
// link works anywhere, once the page behind it was confirmed.
func (x *Exchanges) offer(j *settle.Judgement, p proof, use token.Use, subject [32]byte, user identity.UserID, browserKey []byte, life time.Duration, body []byte) token.Offer {
	o := token.Offer{ID: p.id, Use: use, Subject: subject, User: user, Link: token.LinkHash(use, p.link[:]), Rev: j.Rev, Created: j.Now, Expires: j.Now.Add(life), Body: body}
	if len(browserKey) > 0 {
		o.Code, o.Browser = token.CodeMAC(x.keys.Ring().Code, use, p.id, p.code), token.BrowserHash(browserKey)
	}
	return o
}

// tell writes a mail into a unit. Without a way to send mail there is none.
func (x *Exchanges) tell(j *settle.Judgement, kind outbox.Kind, u identity.User, facts outbox.Facts) core.Unit {
	if facts.Name == "" {
		facts.Name = u.Name
	}
	return x.tellAt(j, kind, u.ID, u.Email, facts)
}

// tellAt is tell for an address that is not, or not yet, or no longer its
// person's: what a stranger could have chosen stays out of such a mail.
func (x *Exchanges) tellAt(j *settle.Judgement, kind outbox.Kind, id identity.UserID, to string, facts outbox.Facts) core.Unit {
	if !x.policy.Mail {
		return nil
	}
	m := outbox.Message{ID: outbox.NewID(j.Now, secret.Random16()), Kind: kind, User: id, Created: j.Now, To: to, Facts: facts}
	if facts.Link != "" && !facts.Until.IsZero() && facts.Until.Sub(j.Now) < outbox.KeptFor {
		m.Expires = facts.Until
	}
	tell, err := m.Seal(x.keys.Ring().Mail)
	if err != nil {
		x.pipe.Alarm(err)
		return nil
	}
	return core.Unit{tell}
}

// afford judges the shared budgets of mails to an address and from a network
// (attack DOS-12): the writes that pay for one, or how long to wait.
func (x *Exchanges) afford(j *settle.Judgement, by settle.Caller, address string) (core.Unit, time.Duration) {
	to, wait := risk.Afford(j, "mail to", address, j.Now, x.policy.Scale, risk.MailsToAddress)
	from, w := risk.Afford(j, "mail from", risk.Network(by.Addr).String(), j.Now, x.policy.Scale, risk.MailsFromNetwork)
	if wait = max(wait, w); wait > 0 {
		return nil, wait
	}
	var u core.Unit
	for _, p := range append(to, from...) {
		u = append(u, p)
	}
	return u, 0
}
