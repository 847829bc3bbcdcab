package exchange

import (
	"context"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var exportsCalm = check.New(check.Check{Number: 857, ID: "export.calm", Fault: fault.Slow, Shown: "export.calm",
	Says: "This person did not take out many copies within the last hour.", Source: "ASVS 2.4.1",
	Title: "You took out several copies within the last hour.", Stops: []string{"DOS-01"}})

var exportOwn = check.Declare(284, "person.export",
	session.Presented, session.Alive, session.InTime, session.FreshEnough, exportsCalm)

// ExportExchange is the declaration, for pages that say what happens.
func ExportExchange() *check.Exchange { return exportOwn }

const (
	// copiedAtMost bounds what a copy says of the past, of each chain: the newest.
	copiedAtMost = 2000
	copiedAtOnce = 100
)

// A Copy is what the server knows of a person, as they take it out: nothing
// that opens anything, and nothing of who acted for them.
type Copy struct {
	Made            time.Time
	User            identity.User
	PasswordChanged time.Time // zero without a password
	Sessions        []session.Session
	Browsers        []session.Device
	Entries         []ledger.Entry // the newest first; personal fields of the person's own acts alone
	More            bool           // there are older entries
}

// Export gives the caller a copy of what the server knows of them.
func (x *Exchanges) Export(ctx context.Context, by settle.Caller, cookie string) (c Copy, err error) {
	text, wellFormed := token.ParseSession(cookie)
	who, err := x.Cookie(ctx, cookie)
	if err != nil {
		return Copy{}, err
	}
	wait := x.meters.Take("export", who.User.ID.String(), x.pipe.Now(), risk.Exports)
	err = x.pipe.Run(ctx, exportOwn, by, func(j *settle.Judgement) core.Unit {
		s, u, ok := x.standing(j, text, wellFormed)
		if ok && fresh(j, s, session.TakingOut) {
			j.Hold(exportsCalm, wait == 0, check.Wait(wait))
		}
		c.Made, c.User = j.Now, u
		return nil
	}, nil)
	if err != nil {
		return Copy{}, err
	}
	v := x.pipe.Store.View(ctx)
	c.PasswordChanged = v.Password(c.User.ID).Changed
	c.Sessions = v.Sessions(session.Query{User: c.User.ID, Limit: copiedAtMost})
	c.Browsers = v.Devices(c.User.ID, session.DevicesAtMost)
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		q := ledger.Past{Subject: c.User.ID, Chain: chain, Limit: copiedAtOnce}
		for read, n := q.Limit, 0; read == q.Limit; n += read {
			if n >= copiedAtMost {
				c.More = true
				break
			}
			page := v.EntriesPast(q)
			if err := v.Err(); err != nil {
				return Copy{}, err
			}
			for _, e := range page {
				if q.Before = e.ID; e.Actor != "" {
					e.Personal = ledger.Personal{}
				}
				c.Entries = append(c.Entries, e)
			}
			read = len(page)
		}
	}
	return c, v.Err()
}
