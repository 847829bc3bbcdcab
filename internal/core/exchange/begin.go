package exchange

import (
	"context"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// A beginning is a session to be. It is made once for an exchange, however
// often that is judged.
type beginning struct {
	id     session.ID
	cookie [32]byte
	arrival
}

func (x *Exchanges) newBeginning() beginning {
	return beginning{session.NewID(x.pipe.Now(), secret.Random16()), secret.Random(), x.newArrival()}
}

// begin starts the session of a person who has just proved themselves, and the
// family that its tokens come from. It takes the place of the session that the
// browser held before, and of the longest unused one where there are too many;
// and the person is told when the browser is new to them.
func (x *Exchanges) begin(j *settle.Judgement, by settle.Caller, b beginning, u identity.User, c client.Client, method, replaces string) (Tokens, core.Unit) {
	maxUntil := j.Now.Add(x.policy.Session.Max)
	s := session.Session{ID: b.id, User: u.ID, Hash: session.HashOf(b.cookie[:]), Rev: j.Rev, Created: j.Now, AuthTime: j.Now, LastSeen: j.Now,
		IdleUntil: x.policy.Session.Until(j.Now, maxUntil), MaxUntil: maxUntil, Method: method, UserAgent: settle.Clip(by.UserAgent, 256)}
	if by.Addr.IsValid() {
		s.IP = by.Addr.String()
	}
	open, refresh := x.opening(s, c, j.Now, j.Rev)
	j.Session, j.Client = s.ID, c.ID
	unit := core.Unit{
		session.Start{ID: s.ID, User: s.User, Hash: s.Hash, Rev: s.Rev, Created: s.Created, AuthTime: s.AuthTime, IdleUntil: s.IdleUntil, MaxUntil: s.MaxUntil, Method: s.Method, IP: s.IP, UserAgent: s.UserAgent},
		open,
	}
	old, leaves := x.replaced(j, replaces)
	room, ended := x.makesRoom(j, u, old)
	if !old.IsZero() || ended > 0 {
		unit = append(unit, revocation.Next{})
	}
	marks, arrives := x.arrives(j, by, b.arrival, u, s)
	return Tokens{Cookie: token.NewSession(b.cookie), Refresh: refresh, Device: marks, Session: s, User: u, Client: c.ID},
		slices.Concat(unit, leaves, room, arrives)
}

// A choice is a new password, judged and hashed once, however often its
// exchange is judged.
type choice struct {
	x        *Exchanges
	password string
	finding  factor.Finding
	phc      string
	tried    bool
}

func (x *Exchanges) choose(password, address string) *choice {
	return &choice{x: x, password: password, finding: x.Weigh(password, address)}
}

// Weigh says whether the person with an address may choose a password.
func (x *Exchanges) Weigh(password, address string) factor.Finding {
	return factor.Judge(password, x.policy.PasswordMin, factor.ContextWords(address, "doorward"))
}

func (c *choice) good(j *settle.Judgement) bool {
	return j.Hold(factor.PasswordGood, c.finding == factor.Fine, c.finding.Details()...)
}

func (c *choice) hashed(ctx context.Context, j *settle.Judgement) bool {
	return j.Hold(factor.HasherFree, c.make(ctx), check.Wait(busyFor))
}

// make makes the hash, and says whether there was room to.
func (c *choice) make(ctx context.Context) bool {
	if !c.tried {
		c.tried = true
		salt := secret.Random16()
		// Without room there is no hash.
		_ = c.x.gate.Do(ctx, factor.Strangers, func() { c.phc = factor.Hash(c.password, salt[:]) })
	}
	return c.phc != ""
}

// A newcomer is a person to be, whose address was proved.
type newcomer struct {
	id             identity.UserID
	email, address string
	name           string
	phc            string
	admin          bool
}

// nameAtMost is how many bytes of a person's name are kept.
const nameAtMost = 256

// join makes the account of a newcomer, who is known on this network from now on.
func (x *Exchanges) join(j *settle.Judgement, by settle.Caller, n newcomer) (identity.User, core.Unit) {
	j.User = n.id
	u := identity.User{ID: n.id, Email: n.email, Address: n.address, Name: n.name, Verified: true, Admin: n.admin, State: identity.Active, Created: j.Now}
	return u, core.Unit{
		identity.Create{ID: u.ID, Email: u.Email, Address: u.Address, Name: u.Name, Verified: true, Admin: u.Admin, Created: u.Created},
		factor.Enrol{User: u.ID, PHC: n.phc, Changed: j.Now},
		factor.Use{User: u.ID, Version: 1, At: j.Now},
		risk.Know{Key: risk.PlaceKey(u.Address, risk.Network(by.Addr)), Until: j.Now.Add(risk.KnownFor)},
	}
}

// An entry is the end of every exchange by which somebody becomes a person
// here: account and session in one unit.
type entry struct {
	x    *Exchanges
	user identity.UserID
	wait time.Duration // that the network's budget asks for
	beginning
}

func (x *Exchanges) newEntry(by settle.Caller) entry {
	wait := x.meters.Take("link", risk.Network(by.Addr).String(), x.pipe.Now(), risk.LinkTries)
	return entry{x, identity.NewUserID(x.pipe.Now(), secret.Random16()), wait, x.newBeginning()}
}

// run settles an exchange that declares client.FirstParty, risk.NetworkCalm and
// identity.AddressFree beside the checks that prove holds. A newcomer without
// an address is none: some check failed.
func (e entry) run(ctx context.Context, of *check.Exchange, by settle.Caller, in ConfirmInput, prove func(j *settle.Judgement) (newcomer, core.Unit)) (Tokens, error) {
	x := e.x
	var out Tokens
	var c client.Client
	err := x.pipe.Run(ctx, of, by, func(j *settle.Judgement) core.Unit {
		out = Tokens{}
		c = x.firstParty(j, in.Origin)
		if !j.Hold(client.FirstParty, mayAsk(c)) || !j.Hold(risk.NetworkCalm, e.wait == 0, check.Wait(e.wait)) {
			return nil
		}
		n, unit := prove(j)
		if n.address == "" {
			return unit
		}
		if !j.Hold(identity.AddressFree, !j.UserByAddress(n.address).Exists()) {
			return nil
		}
		n.id = e.user
		u, joins := x.join(j, by, n)
		unit = append(unit, joins...)
		if in.Apart {
			out.User = u
			return unit
		}
		var begun core.Unit
		out, begun = x.begin(j, by, e.beginning, u, c, "password", in.Replaces)
		return append(unit, begun...)
	}, func(p check.Passed, j *settle.Judgement) (err error) {
		if !in.Apart {
			out.Access, out.ExpiresAt, err = x.access(p, j, out.Session, c, c.Scopes)
		}
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	return out, nil
}
