package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var (
	logoutListens = check.New(check.Check{Number: 1084, ID: "logout.listens", Fault: fault.Missing, Shown: "logout.listens",
		Says: "The application is registered with an address where it hears of sessions that end.", Source: "OpenID Connect Back-Channel Logout section 2.2",
		Title: "The application does not want to hear of sessions that end."})
	logoutHeard = check.New(check.Check{Number: 1085, ID: "logout.heard", Fault: fault.Busy, Shown: "logout.heard",
		Says: "The application answered that it ended its session.", Source: "OpenID Connect Back-Channel Logout section 2.8",
		Title: "The application did not answer that it ended its session."})
)

var (
	logoutToken  = check.Declare(383, "client.logout_token", logoutListens)
	logoutNotice = check.Declare(384, "client.logout", logoutListens, logoutHeard)
)

// A poster hands something over at an address that an application named, and
// says with which status it was answered.
type poster interface {
	Post(ctx context.Context, address, media string, body []byte) (status int, err error)
}

// noticesAtOnce bounds what one look for parties takes up.
const noticesAtOnce = 256

// Notices writes down who must be told that a session ended, for everything
// that ended since it last looked; the first time, for all that ever did. Many
// nodes look, one writes each. It returns how many notices it wrote.
func (x *Exchanges) Notices(ctx context.Context) (written int, err error) {
	x.noticing.Lock()
	defer x.noticing.Unlock()
	head := x.pipe.Feed.Position()
	if x.noticed == 0 {
		for n := noticesAtOnce; n == noticesAtOnce; written += n {
			v := x.pipe.Store.View(ctx)
			over := v.PartiesOver(noticesAtOnce)
			if err := v.Err(); err != nil {
				return written, err
			}
			if n, err = x.notice(ctx, over); err != nil {
				return written, err
			}
		}
		x.noticed = max(head, 1)
		return written, nil
	}
	for x.noticed < head {
		v := x.pipe.Store.View(ctx)
		events := v.Events(x.noticed, noticesAtOnce)
		if err := v.Err(); err != nil {
			return written, err
		}
		upto := head
		if len(events) >= noticesAtOnce {
			upto = events[len(events)-1].Seq
		}
		for _, e := range events {
			n, err := x.noticesOf(ctx, e.Name)
			if written += n; err != nil {
				return written, err
			}
		}
		x.noticed = upto
	}
	return written, nil
}

// noticesOf finds who took part in what an event ended. An event may name a
// session that goes on, in doubt: then nobody is told.
func (x *Exchanges) noticesOf(ctx context.Context, n revocation.Name) (written int, err error) {
	v := x.pipe.Store.View(ctx)
	var over []session.Party
	switch n.Unit {
	case revocation.Session:
		id, err := session.ParseID(n.ID)
		if err != nil {
			return 0, nil
		}
		s := v.Session(id)
		if s.Exists() && session.Judge(s, v.User(s.User), x.pipe.Now()) != session.Over {
			return 0, v.Err()
		}
		over = v.Parties(id)
	case revocation.User:
		id, err := identity.ParseUserID(n.ID)
		if err != nil {
			return 0, nil
		}
		over = v.PartiesOf(id, noticesAtOnce)
	}
	if err := v.Err(); err != nil {
		return 0, err
	}
	return x.notice(ctx, over)
}

// notice turns parties into notices, each in one unit: of two nodes that found
// it one has it.
func (x *Exchanges) notice(ctx context.Context, over []session.Party) (written int, err error) {
	now := x.pipe.Now()
	for _, p := range over {
		v := x.pipe.Store.View(ctx)
		c := v.Client(p.Client)
		u := v.User(p.User)
		if err := v.Err(); err != nil {
			return written, err
		}
		unit := core.Unit{session.Part{Session: p.Session, Client: p.Client}}
		if c.BackchannelLogout != "" {
			m := outbox.Message{ID: outbox.NewID(now, secret.Random16()), Kind: outbox.LogoutNotice, User: p.User, Created: now, Expires: now.Add(noticeFor),
				Logout: outbox.Logout{Client: c.ID, Session: p.Session.String(), Subject: x.subject(c, u)}}
			tell, err := m.Seal(x.keys.Ring().Mail)
			if err != nil {
				return written, err
			}
			unit = append(unit, tell)
		}
		_, err := x.pipe.Store.Commit(ctx, unit)
		var lost *core.Lost
		if errors.As(err, &lost) {
			continue // another node has it
		}
		if err != nil {
			return written, err
		}
		written++
		if len(unit) > 1 && x.pipe.Posted != nil {
			x.pipe.Posted()
		}
	}
	return written, nil
}

// noticeFor is how long an application that does not answer is told again.
const noticeFor = 2 * time.Hour

// TellLogout tells an application that a session ended, by a signed token at
// the address that it registered (OpenID Connect Back-Channel Logout section
// 2.5). Each try stands in the ledger; the error says that another is due.
func (x *Exchanges) TellLogout(ctx context.Context, m outbox.Message) error {
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: logoutToken.Begin(), Now: x.pipe.Now()}
	c := j.View.Client(m.Logout.Client)
	j.Hold(logoutListens, c.Exists() && c.BackchannelLogout != "")
	if err := j.Err(); err != nil {
		return err
	}
	passed, err := j.Close()
	if err != nil {
		return only(err) // it was removed meanwhile: nobody is to be told
	}
	by, err := x.signer(c.IDTokens().Alg)
	if err != nil {
		return err
	}
	id := secret.Random16()
	text, err := token.IssueLogout(passed, by, token.LogoutClaims{Issuer: x.policy.Issuer, Audience: c.ID, Subject: m.Logout.Subject, Session: m.Logout.Session,
		JTI: secret.Encode(id[:]), IssuedAt: j.Now})
	if err != nil {
		return err
	}
	status, failed := x.policy.Post.Post(ctx, c.BackchannelLogout, "application/x-www-form-urlencoded", []byte(url.Values{"logout_token": {text}}.Encode()))
	heard := failed == nil && status >= 200 && status < 300
	err = x.pipe.Run(ctx, logoutNotice, settle.Caller{}, func(j *settle.Judgement) core.Unit {
		j.User, j.Client = m.User, c.ID
		j.Session, _ = session.ParseID(m.Logout.Session)
		if j.Hold(logoutListens, true) {
			j.Hold(logoutHeard, heard, check.Count(status))
		}
		return nil
	}, nil)
	if failed != nil {
		return fmt.Errorf("exchange: %s did not hear that a session ended: %w", c.ID, failed)
	}
	return err
}
