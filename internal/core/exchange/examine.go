package exchange

import (
	"context"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// presentRefresh are the checks of a refresh token that do not depend on who
// sends it. Examining one spends nothing.
var presentRefresh = check.Declare(251, "token.present_refresh", token.RefreshForm, token.RefreshAuthentic, token.RefreshPresent,
	token.RefreshAlive, token.RefreshInTime, session.InTime, token.RefreshUnspent, token.RefreshTimely)

// looked is in the ledger when somebody explains what concerns a person, who
// then reads of it.
var looked = check.Declare(252, "person.explained", identity.Found)

// Looked notes that an operator explained what concerns a person.
func (x *Exchanges) Looked(ctx context.Context, by settle.Caller, who identity.UserID, at session.ID) error {
	if who.IsZero() {
		return nil
	}
	return only(x.pipe.Run(ctx, looked, by, func(j *settle.Judgement) core.Unit {
		if j.Hold(identity.Found, j.View.User(who).State != identity.Nobody) { // of a deleted person too
			j.User, j.Session = who, at
		}
		return nil
	}, nil))
}

// Kinds of tokens that can be examined.
const (
	KindJWT     = "jwt"
	KindOpaque  = "opaque"
	KindRefresh = "refresh"
	KindSession = "session"
)

// KindOf says what a text claims to be; what has no prefix of ours is held
// against the form of a JWT.
func KindOf(text string) string {
	for prefix, kind := range map[string]string{token.AccessPrefix: KindOpaque, token.RefreshPrefix: KindRefresh, token.SessionPrefix: KindSession} {
		if strings.HasPrefix(text, prefix) {
			return kind
		}
	}
	return KindJWT
}

// A Finding is one check of an examination. A check that did not run, because
// one before it failed, may still be known to hold or not.
type Finding struct {
	Check   *check.Check
	Reached bool
	Known   bool // whether Holds says anything
	Holds   bool
}

// An Examination is what operators may learn of a token or session: every
// check, in the order in which they run, and what it hangs on. It is no
// exchange: nothing is issued, spent or extended.
type Examination struct {
	Kind     string
	Findings []Finding
	Passed   bool
	Claims   token.Claims     // of an access token that a key of ours signed or sealed
	Killer   revocation.Event // by which it is dead
	Session  session.Session
	User     identity.User
	Client   string
	Last     ledger.Entry   // the latest exchange of its session
	Issued   []ledger.Issue // what its application was given in the minute of the token, where that is counted
}

// Failed is the check that failed first; nil when all held.
func (e Examination) Failed() *check.Check {
	for _, f := range e.Findings {
		if f.Known && !f.Holds {
			return f.Check
		}
	}
	return nil
}

// find notes what is known of the checks of an exchange, in their order.
func (e *Examination) find(of *check.Exchange, holds []bool) {
	reached := true
	e.Passed = len(holds) == len(of.Checks)
	for i, c := range of.Checks {
		f := Finding{Check: c, Known: i < len(holds)}
		f.Holds = f.Known && holds[i]
		f.Reached = reached && f.Known
		reached = reached && f.Holds
		e.Passed = e.Passed && f.Holds
		e.Findings = append(e.Findings, f)
	}
}

// Examine runs every check of a token of any kind for whoever operates this
// server. An audience that is asked for must be the token's; without one any
// of its own will do.
func (x *Exchanges) Examine(ctx context.Context, text, audience string) (Examination, error) {
	if err := x.pipe.Follow.Fresh(ctx); err != nil {
		return Examination{}, err
	}
	v := x.pipe.Store.View(ctx)
	e := Examination{Kind: KindOf(text)}
	switch e.Kind {
	case KindRefresh:
		x.examineRefresh(v, &e, text)
	case KindSession:
		secret, ok := token.ParseSession(text)
		if ok {
			e.Session = v.SessionByHash(session.HashOf(secret))
		}
		x.examineSession(v, &e)
	default:
		x.examineAccess(v, &e, text, audience)
	}
	return x.examined(v, e)
}

// ExamineSession runs the checks of a session that is known by its id.
func (x *Exchanges) ExamineSession(ctx context.Context, id session.ID) (Examination, error) {
	v := x.pipe.Store.View(ctx)
	e := Examination{Kind: KindSession, Session: v.Session(id)}
	x.examineSession(v, &e)
	return x.examined(v, e)
}

// examined adds the story of the session that it hangs on.
func (x *Exchanges) examined(v core.View, e Examination) (Examination, error) {
	if e.Session.Exists() {
		e.User = v.User(e.Session.User)
		for _, entry := range v.EntriesOf(e.Session.ID, toldAtMost) {
			if entry.Exchange != looked {
				e.Last = entry
			}
		}
	}
	return e, v.Err()
}

func (x *Exchanges) examineAccess(v core.View, e *Examination, text, audience string) {
	read := x.reading(text)
	if client.SecretID(jose.SharedID(text)) {
		read = x.readingShared(v, text)
	}
	audiences := []string{audience}
	if audience == "" {
		c, _, _ := read()
		audiences = c.Audience
	}
	c, holds, known := x.weighAccess(v, read, audiences...)
	if !holds[0] {
		known = 1
	}
	e.find(presentToken, holds[:known])
	e.Claims, e.Client = c, c.Client
	e.Killer, _ = x.pipe.Feed.Killer(c.Rev, c.Names()...)
	if jti, err := token.ParseJTI(c.JTI); err == nil && holds[1] {
		e.Issued = v.Issues(c.Client, jti.Time())
	}
	if id, err := session.ParseID(c.Session); err == nil {
		e.Session = v.Session(id)
	}
}

func (x *Exchanges) examineRefresh(v core.View, e *Examination, text string) {
	wire, ok := token.ParseRefresh(text)
	if !ok {
		e.find(presentRefresh, []bool{false})
		return
	}
	l := v.Lineage(wire.Family)
	standing := session.Judge(l.Session, l.User, x.pipe.Now())
	verdict := token.Judge(token.Weigh(wire, l.Family, x.keys.Ring().Refresh), l.Family, l.Alive(standing), x.pipe.Now(), x.policy.Token.Grace)
	holds := []bool{true, verdict != token.Foreign, verdict != token.Future, verdict != token.Dead, verdict != token.Expired,
		standing == session.Live, verdict != token.Reused, verdict != token.Late}
	// What the first verdict hides is not known.
	if i := slices.Index(holds, false); i >= 0 {
		holds = holds[:i+1]
	}
	e.find(presentRefresh, holds)
	if verdict != token.Foreign {
		e.Session, e.Client = l.Session, l.Family.Client
	}
}

func (x *Exchanges) examineSession(v core.View, e *Examination) {
	standing := session.Judge(e.Session, v.User(e.Session.User), x.pipe.Now())
	holds := []bool{standing != session.Unknown, standing != session.Over, standing == session.Live}
	if standing == session.Unknown {
		holds, e.Session = holds[:1], session.Session{}
	} else if standing == session.Over {
		holds = holds[:2]
	}
	e.find(presentSession, holds)
}
