package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
)

const (
	// ActivityFor is how far back people see what happened to their account.
	ActivityFor = 90 * 24 * time.Hour
	// activityPage is how many rows one page has.
	activityPage = 30
	// activityReads bounds how much of the past one page looks through for
	// rows of one kind: then the next page goes on from there. On a busy server
	// every entry of a person may lie in a segment of its own, so little is
	// read at a time.
	activityReads = 12
	activityRead  = activityPage + 10
	// storyAtMost bounds what is told of one session, of each chain.
	storyAtMost = 200
)

// Activity is what happened to the caller's account, newest first: from an
// entry on, or from the newest. keep chooses. next is where the following page
// begins; zero when there is none.
func (x *Exchanges) Activity(ctx context.Context, who Who, before ledger.ID, keep func(ledger.Entry) bool) (page []ledger.Entry, next ledger.ID, err error) {
	v := x.pipe.Store.View(ctx)
	q := ledger.Past{Subject: who.User.ID, Chain: ledger.Audit, Before: before, Since: x.pipe.Now().Add(-ActivityFor), Limit: activityRead}
	for range activityReads {
		read := v.EntriesPast(q)
		if err := v.Err(); err != nil {
			return nil, ledger.ID{}, err
		}
		for _, e := range read {
			if !keep(e) {
				continue
			}
			if len(page) == activityPage {
				return page, page[len(page)-1].ID, nil
			}
			page = append(page, e)
		}
		if len(read) < activityRead {
			return page, ledger.ID{}, nil
		}
		q.Before = read[len(read)-1].ID
	}
	return page, q.Before, nil
}

// Story is one session of the caller's own, standing or not, and what the
// ledger holds of it, oldest first. A foreign session and an unknown one are
// refused alike (attack SES-10).
func (x *Exchanges) Story(ctx context.Context, who Who, id session.ID) (session.Session, []ledger.Entry, error) {
	v := x.pipe.Store.View(ctx)
	s := v.Session(id)
	if err := v.Err(); err != nil {
		return session.Session{}, nil, err
	}
	if !s.Exists() || s.User != who.User.ID {
		return session.Session{}, nil, check.Refuse(session.Own)
	}
	var story []ledger.Entry
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		story = append(story, v.EntriesPast(ledger.Past{Subject: id, Chain: chain, Limit: storyAtMost})...)
	}
	slices.SortFunc(story, func(a, b ledger.Entry) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return s, story, v.Err()
}

// Facts are what the first page of an account says: facts, and no score.
type Facts struct {
	Sessions        int
	Browsers        int       // that the person signed in from before
	PasswordChanged time.Time // zero without a password
	Refused         int       // sign-ins that were refused within a day
}

// Facts counts them for the caller.
func (x *Exchanges) Facts(ctx context.Context, who Who) (f Facts, err error) {
	v, now := x.pipe.Store.View(ctx), x.pipe.Now()
	f.Sessions = len(v.Sessions(session.Query{User: who.User.ID, Standing: now, Limit: listAtMost}))
	f.Browsers = len(v.Devices(who.User.ID, session.DevicesAtMost+1))
	f.PasswordChanged = v.Password(who.User.ID).Changed
	for _, e := range v.EntriesPast(ledger.Past{Subject: who.User.ID, Chain: ledger.Audit, Since: now.Add(-24 * time.Hour), Limit: activityRead}) {
		if e.Refused && e.Exchange != nil && strings.HasPrefix(e.Exchange.Name, "signin.") {
			f.Refused++
		}
	}
	return f, v.Err()
}
