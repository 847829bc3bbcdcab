// Package settle is how every exchange and every change runs, written once:
// stamp, view, judge, prepare, commit, judge again when a write lost, release.
package settle

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
)

// patience is how long a judgement is repeated before the answer is "later".
const patience = 5 * time.Second

// A Caller is who asks, as far as the network shows.
type Caller struct {
	Addr      netip.Addr
	UserAgent string
	Device    string // what this browser keeps of earlier sign-ins; a secret
	Actor     string // "host:0" when an operator acts on the host
}

// A Pipeline settles exchanges on a store.
type Pipeline struct {
	Store core.Store
	Feed  *revocation.Log
	Now   func() time.Time
	// Follow keeps Feed true.
	Follow *Follower
	// Tally counts a refusal of nobody known; it never blocks.
	Tally func(ledger.Tally)
	// Posted is told that a unit with a mail in it was committed; it never blocks.
	Posted func()
	// Settled, when set, is told how each exchange ended: by whom it was asked
	// for, and what refused it, or nil.
	Settled func(j *Judgement, by Caller, refused *check.Refusal)
	// Alarm tells the operator of something that must not happen.
	Alarm func(error)
	// Closing is closed when the server stops: whoever waits, answers.
	Closing <-chan struct{}

	issues issues
}

// A Judgement is what a judge sees: values read on a view, an instant, the
// position it is stamped with, and the trail it holds its checks on.
type Judgement struct {
	core.View
	*check.Trail
	Now time.Time
	Rev uint64
	// Whom the exchange concerns, as soon as that is proved.
	User    identity.UserID
	Session session.ID
	Client  string

	also core.Unit
}

// Also adds writes to the unit of this judgement whatever comes of it: what was
// believed is used up, even where a later check refuses.
func (j *Judgement) Also(w ...core.Write) { j.also = append(j.also, w...) }

// Used is what Also added.
func (j *Judgement) Used() core.Unit { return j.also }

// A Judge holds the exchange's checks and returns the unit that the outcome
// asks for: a refusal may have one too. It does no I/O but reads on its view.
type Judge func(j *Judgement) core.Unit

// A Prepare does what is slow, such as signing, with the proof that every
// check held. What it makes is released only when the unit has committed.
type Prepare func(p check.Passed, j *Judgement) error

// Run settles one exchange. It returns nil when every declared check held and
// the unit committed; a *check.Refusal when a check failed and what that asks
// for has committed; an error that wraps core.ErrUnavailable when neither can
// be said. A verdict that could not be committed is no verdict.
func (p *Pipeline) Run(ctx context.Context, of *check.Exchange, by Caller, judge Judge, prepare Prepare) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rev := p.Feed.Position()
	entry := ledger.NewID(p.Now(), secret.Random16())
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%w: %w", core.ErrUnavailable, err)
		}
		j := &Judgement{View: p.Store.View(ctx), Trail: of.Begin(), Now: p.Now().Truncate(time.Microsecond), Rev: rev}
		unit := judge(j)
		if len(j.also) > 0 {
			unit = slices.Concat(unit, j.also)
		}
		if err := j.Err(); err != nil {
			return err
		}
		if j.Cut() > rev {
			// This node is behind what it has just read: stamp from the database.
			if rev = p.Store.View(ctx).Head(); rev < j.Cut() {
				return fmt.Errorf("%w: the feed's head is behind a cut", core.ErrUnavailable)
			}
			continue
		}
		passed, verdict := j.Close()
		var incomplete *check.ErrIncomplete
		if errors.As(verdict, &incomplete) {
			p.Alarm(verdict)
			return verdict
		}
		if verdict == nil && prepare != nil {
			if err := prepare(passed, j); err != nil {
				return err
			}
		}
		var refusal *check.Refusal
		if errors.As(verdict, &refusal) {
			refusal.Ref = secret.Ref()
		}
		var receipt core.Receipt
		var err error
		if verdict == nil && of.Counted() {
			err = p.counted(ctx, unit, j, by)
		} else {
			receipt, err = p.Store.Commit(ctx, p.recorded(unit, entry, j, refusal, by))
		}
		var lost *core.Lost
		switch {
		case errors.As(err, &lost):
			rev = max(rev, p.Feed.Position())
			continue
		case err != nil:
			return err
		}
		p.release(unit, receipt)
		if p.Settled != nil {
			p.Settled(j, by, refusal)
		}
		if p.Posted != nil && slices.ContainsFunc(unit, func(w core.Write) bool { _, tells := w.(outbox.Tell); return tells }) {
			p.Posted()
		}
		return verdict
	}
}

// counted settles what is counted and not told one by one: of many in a minute
// only the first costs a commit.
func (p *Pipeline) counted(ctx context.Context, unit core.Unit, j *Judgement, by Caller) error {
	c := caseOf(j, by)
	if len(unit) == 0 && p.issues.count(c) {
		return nil
	}
	open := c.opening(j)
	if _, err := p.Store.Commit(ctx, append(slices.Clip(unit), open)); err != nil {
		return err
	}
	p.issues.opened(c, open.Checks)
	return nil
}

// recorded adds the ledger entry to the unit that caused it. A refusal of
// nobody known is tallied instead: strangers do not write entries.
func (p *Pipeline) recorded(unit core.Unit, id ledger.ID, j *Judgement, refusal *check.Refusal, by Caller) core.Unit {
	known := !j.User.IsZero() || !j.Session.IsZero() || j.Client != "" || by.Actor != ""
	if refusal != nil && !known {
		p.Tally(ledger.Tally{Minute: j.Now.Truncate(time.Minute), Exchange: j.Of().Number, Check: refusal.Check().Number, Network: risk.Network(by.Addr).String(), Count: 1})
		return unit
	}
	e := ledger.Entry{ID: id, At: j.Now, Chain: ledger.Audit, Exchange: j.Of(), Number: j.Of().Number, Refused: refusal != nil,
		User: j.User, Session: j.Session, Client: j.Client, Actor: by.Actor, Steps: j.Steps(),
		Personal: ledger.Personal{UserAgent: Clip(by.UserAgent, agentAtMost)}}
	if by.Addr.IsValid() {
		e.Personal.IP = by.Addr.String()
	}
	if refusal != nil {
		e.Ref = refusal.Ref
	} else if j.Of().Frequent() && !revokes(unit) {
		e.Chain = ledger.Rest
	}
	record, keep := e.Writes(secret.Random16())
	out := make(core.Unit, 0, len(unit)+2)
	out = append(out, unit...)
	out = append(out, record)
	if e.Personal != (ledger.Personal{}) {
		out = append(out, keep)
	}
	return out
}

// agentAtMost is how many bytes of a user agent are kept.
const agentAtMost = 256

// Clip bounds what is kept of text that strangers write, and keeps it text:
// valid UTF-8, on one line.
func Clip(s string, most int) string {
	s = strings.ToValidUTF8(s[:min(len(s), most)], "")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

func revokes(u core.Unit) bool {
	for _, w := range u {
		if _, ok := w.(revocation.Next); ok {
			return true
		}
	}
	return false
}

// release lets this node act on its own events before any answer leaves.
func (p *Pipeline) release(u core.Unit, r core.Receipt) {
	if r.Seq == 0 {
		return
	}
	var events []revocation.Event
	for _, w := range u {
		if e, ok := w.(revocation.Revoke); ok {
			events = append(events, revocation.Event{Seq: r.Seq, At: e.At, Name: revocation.Name{Unit: e.Unit, ID: e.ID}, NotBefore: e.NotBefore, Until: e.Until, Audience: e.Audience})
		}
	}
	p.Feed.Own(events...)
	p.Follow.Kick()
}
