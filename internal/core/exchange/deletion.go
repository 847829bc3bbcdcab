package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var (
	deletionAsk = check.Declare(42, "deletion.ask",
		session.Presented, session.Alive, session.InTime, session.FreshEnough, identity.NotLast, risk.MailsCalm)
	deletionKeep   = check.Declare(43, "deletion.keep", session.Presented, session.Alive, session.InTime)
	deletionCancel = check.Declare(44, "deletion.cancel", risk.NetworkCalm,
		token.OnceKnown, token.OnceStands, token.OnceUnspent, token.OnceInTime, token.OnceTries)
	deleteUser   = check.Declare(282, "user.delete", identity.Found, identity.NotLast)
	deletionDone = check.Declare(283, "deletion.done", identity.Found, identity.DeletionDue, identity.NotLast)
)

// DeletionExchanges are the declarations, for pages that say what happens.
func DeletionExchanges() (ask, cancel *check.Exchange) { return deletionAsk, deletionCancel }

// AskDeletion has the caller's account deleted in a week. Until then everything
// works, and keeping the account takes one press: in the account, or behind the
// link of the mail. Asking again changes nothing.
func (x *Exchanges) AskDeletion(ctx context.Context, by settle.Caller, cookie string) (at time.Time, err error) {
	text, wellFormed := token.ParseSession(cookie)
	p := x.newProof()
	err = x.pipe.Run(ctx, deletionAsk, by, func(j *settle.Judgement) core.Unit {
		s, u, ok := x.standing(j, text, wellFormed)
		if !ok || !fresh(j, s, session.DeletingAccount) || !j.Hold(identity.NotLast, !u.Last(j.Administrators())) {
			return nil
		}
		if at = u.DeleteAt; !at.IsZero() {
			j.Hold(risk.MailsCalm, true)
			return nil
		}
		unit, wait := x.afford(j, by, u.Address)
		if !j.Hold(risk.MailsCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		at = j.Now.Add(identity.DeletedAfter)
		facts := x.seenAt(by, j.Now)
		facts.Link, facts.Until = "/deletion/cancel?t="+token.NewLink(p.link), at
		unit = append(unit, identity.Schedule{ID: u.ID, Guard: u.Guard, At: at})
		if mail := x.tell(j, outbox.DeletionAsked, u, facts); len(mail) > 0 {
			o := x.offer(j, p, token.ForKeeping, token.SubjectOf(u.ID.String()), u.ID, nil, identity.DeletedAfter, nil)
			unit = append(append(unit, o), mail...)
		}
		return unit
	}, nil)
	return at, err
}

// KeepAccount takes the caller's wish back. It asks for no fresh proof: staying
// is what everybody had before.
func (x *Exchanges) KeepAccount(ctx context.Context, by settle.Caller, cookie string) error {
	text, wellFormed := token.ParseSession(cookie)
	return x.pipe.Run(ctx, deletionKeep, by, func(j *settle.Judgement) core.Unit {
		_, u, ok := x.standing(j, text, wellFormed)
		if !ok || u.DeleteAt.IsZero() {
			return nil
		}
		return append(stays(u, u.Guard), token.Void{Use: token.ForKeeping, Subject: token.SubjectOf(u.ID.String()), At: j.Now})
	}, nil)
}

// stays are the writes that keep an account that was to be deleted; guard is
// what the unit has made of its own by then.
func stays(u identity.User, guard uint64) core.Unit {
	if u.DeleteAt.IsZero() {
		return nil
	}
	return core.Unit{identity.Keep{ID: u.ID, Guard: guard}}
}

// CancelDeletion is KeepAccount for who has the mail, without signing in.
// Whoever asked may have been somebody else, who changed what there is since:
// so the link works whatever the person's cut is.
func (x *Exchanges) CancelDeletion(ctx context.Context, by settle.Caller, link string) error {
	tok, _ := token.ParseLink(link)
	calm := x.meters.Take("once", risk.Network(by.Addr).String(), x.pipe.Now(), risk.PasswordTries)
	return x.pipe.Run(ctx, deletionCancel, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(risk.NetworkCalm, calm == 0, check.Wait(calm)) {
			return nil
		}
		o, u := keeping(j.View, tok)
		j.User = u.ID
		if !token.HoldOnce(j.Trail, o.JudgeLink(token.ForKeeping, 0, j.Now)) {
			return nil
		}
		return append(stays(u, u.Guard), token.Spend{ID: o.ID, At: j.Now})
	}, nil)
}

// keeping reads the object of a link and whose account it keeps; nobody's is
// none.
func keeping(v core.View, tok []byte) (token.Once, identity.User) {
	o := v.OnceByLink(token.LinkHash(token.ForKeeping, tok))
	u := v.User(o.User)
	if !u.Exists() {
		return token.Once{}, identity.User{}
	}
	return o, u
}

// LookAtDeletion reads whose account a link keeps, and changes nothing.
func (x *Exchanges) LookAtDeletion(ctx context.Context, link string) (email string, err error) {
	return x.lookAt(ctx, deletionCancel, func(j *settle.Judgement) string {
		tok, _ := token.ParseLink(link)
		o, u := keeping(j.View, tok)
		token.HoldOnce(j.Trail, o.JudgeLink(token.ForKeeping, 0, j.Now))
		return u.Email
	})
}

// Leaving says when the caller's account is to be deleted; zero for never.
func (x *Exchanges) Leaving(ctx context.Context, who Who) (time.Time, error) {
	v := x.pipe.Store.View(ctx)
	u := v.User(who.User.ID)
	return u.DeleteAt, v.Err()
}

// DeleteUser deletes an account at once, for an operator.
func (x *Exchanges) DeleteUser(ctx context.Context, by settle.Caller, id identity.UserID) error {
	return x.pipe.Run(ctx, deleteUser, by, func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) {
			return nil
		}
		j.User = id
		if !j.Hold(identity.NotLast, !u.Last(j.Administrators())) {
			return nil
		}
		return x.goes(j, u)
	}, nil)
}

// goes are the writes that make an account nobody's. Everything of it loses
// trust at the unit's position; what else hangs on it is removed behind it. The
// mail is sealed before the address is gone.
func (x *Exchanges) goes(j *settle.Judgement, u identity.User) core.Unit {
	return append(core.Unit{revocation.Next{}, identity.Delete{ID: u.ID, Guard: u.Guard, Gone: identity.Gone(u.ID), At: j.Now},
		x.event(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, j.Now),
		factor.Remove{User: u.ID}, token.Withdraw{User: u.ID}, session.UnrecogniseAll{User: u.ID}},
		x.tell(j, outbox.Deleted, u, outbox.Facts{When: j.Now})...)
}

const (
	// leavingAtATime bounds what one look for accounts to delete takes.
	leavingAtATime = 100
	// notLastFor is when a last administrator's account is looked at again.
	notLastFor = 24 * time.Hour
)

// Delete deletes the accounts whose week is over, and removes what hung on
// deleted ones: in units of a bounded size, with a pause between two. Nodes may
// do it at the same time: every unit is judged on the row that it changes. What
// keeps one account from going does not keep the others.
func (x *Exchanges) Delete(ctx context.Context, pause func(context.Context) error) error {
	var failed error
	v := x.pipe.Store.View(ctx)
	for _, u := range v.Leaving(x.pipe.Now(), leavingAtATime) {
		if err := only(x.pipe.Run(ctx, deletionDone, settle.Caller{Actor: "server"}, x.due(u.ID), nil)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("exchange: deleting %s: %w", u.ID, err))
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	for _, id := range v.Deleted(leavingAtATime) {
		if err := x.clear(ctx, id, pause); err != nil {
			failed = errors.Join(failed, fmt.Errorf("exchange: clearing away %s: %w", id, err))
		}
	}
	return errors.Join(failed, v.Err())
}

// due judges whether an account goes now. Who kept it, or was deleted by
// another node, is not spoken of.
func (x *Exchanges) due(id identity.UserID) settle.Judge {
	return func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) || !j.Hold(identity.DeletionDue, u.Due(j.Now)) {
			return nil
		}
		j.User = id
		if !j.Hold(identity.NotLast, !u.Last(j.Administrators())) {
			return core.Unit{identity.Schedule{ID: id, Guard: u.Guard, At: j.Now.Add(notLastFor)}}
		}
		return x.goes(j, u)
	}
}

// clear removes what hung on a deleted account. What the ledger says stays;
// from where and with what the person acted does not.
func (x *Exchanges) clear(ctx context.Context, id identity.UserID, pause func(context.Context) error) error {
	do := func(u core.Unit) error {
		if _, err := x.pipe.Store.Commit(ctx, u); err != nil {
			return err
		}
		return pause(ctx)
	}
	for {
		v := x.pipe.Store.View(ctx)
		left := v.Sessions(session.Query{User: id, Limit: 1})
		if err := v.Err(); err != nil {
			return err
		}
		if len(left) == 0 {
			break
		}
		if err := do(core.Unit{session.Vanish{User: id}, token.Vanish{User: id}, client.Unallow{User: id}}); err != nil {
			return err
		}
	}
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		q := ledger.Past{Subject: id, Chain: chain, Limit: leavingAtATime}
		for read := q.Limit; read == q.Limit; {
			v := x.pipe.Store.View(ctx)
			page := v.EntriesPast(q)
			if err := v.Err(); err != nil {
				return err
			}
			var own []ledger.ID
			for _, e := range page {
				if q.Before = e.ID; e.Actor == "" { // else they are the operator's
					own = append(own, e.ID)
				}
			}
			if read = len(page); len(own) > 0 {
				if err := do(core.Unit{ledger.Erase{IDs: own, Before: x.pipe.Now().Add(time.Hour)}}); err != nil {
					return err
				}
			}
		}
	}
	return do(core.Unit{identity.Cleared{ID: id}})
}
