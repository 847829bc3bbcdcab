package doorward

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// ErrMissing is what an owner function returns for an object that does not exist.
var ErrMissing = errors.New("doorward: no such object")

// A Guard is one more check on a request whose token is good. The zero Guard
// lets nobody by.
type Guard struct {
	name  string
	order int // guards that read the app's data run after those that do not
	feed  bool
	hold  func(*attempt) error
}

// An attempt is a request on its way through the guards.
type attempt struct {
	v       *Verifier
	r       *http.Request
	guards  []Guard
	held    int  // of the guards
	dpop    bool // it came with the scheme DPoP
	look    bool // nothing is used up
	who     *Identity
	token   *verified
	private string // why the request was refused, for the log alone
}

// Scope demands that the token carries the scope: 403 insufficient_scope
// (RFC 6750 section 3.1).
func Scope(scope string) Guard {
	return Guard{name: checkScope, hold: func(a *attempt) error {
		if scope != "" && a.who.HasScope(scope) {
			return nil
		}
		return &Refusal{
			Check: checkScope, Ref: reference(), Status: http.StatusForbidden, named: true,
			Title:  "This app may not do that for you.",
			Detail: "the token needs the scope " + scope, code: "insufficient_scope", scope: scope,
		}
	}}
}

// Fresh demands that the person proved who they are at most d ago: 401
// insufficient_user_authentication with max_age, so that the app can ask them
// to (RFC 9470). A machine's token has no such proof and is refused.
func Fresh(d time.Duration) Guard {
	return Guard{name: checkProof, hold: func(a *attempt) error {
		age := a.v.now().Sub(a.who.SignedInAt)
		if !a.who.SignedInAt.IsZero() && age <= d && age >= -leeway {
			return nil
		}
		detail := "nobody signed in for this token"
		if !a.who.SignedInAt.IsZero() {
			detail = "the last proof is " + age.Round(time.Second).String() + " old, at most " + d.String() + " is allowed"
		}
		return &Refusal{
			Check: checkProof, Ref: reference(), Status: http.StatusUnauthorized, named: true,
			Title:  "Please confirm that it is you.",
			Detail: detail, code: "insufficient_user_authentication", maxAge: max(d, time.Second),
		}
	}}
}

// FeedWithin demands that the token was known to be alive at most d ago, for
// what must not be done by somebody who was just signed out. When it was not,
// the feed is read at once; when that fails the answer is 503. It cannot be
// used with a stateless verifier.
func FeedWithin(d time.Duration) Guard {
	return Guard{name: checkFeed, feed: true, hold: func(a *attempt) error {
		if !a.who.Stale && a.who.ViewAge <= d {
			return nil
		}
		f := a.v.feed
		err := f.catchUp(a.r.Context(), func(s *state) bool { return s.age(a.v.now()) <= d })
		if a.r.Context().Err() != nil {
			return a.r.Context().Err()
		}
		s := f.state.Load()
		if err != nil || s.age(a.v.now()) > d || a.token.hasRev && a.token.rev > s.position {
			return unsure(checkFeed, "the view of revocations is older than "+d.String())
		}
		if unit, dead := f.kills(a.token); dead {
			return revoked(unit)
		}
		a.who.Stale, a.who.ViewAge = false, s.age(a.v.now())
		return nil
	}}
}

// Owned demands that the object which the path names in {param} belongs to the
// caller. owner returns the subject it belongs to, or [ErrMissing]. Somebody
// else's object is answered exactly as a missing one, with 404: nobody learns
// which ids exist.
func Owned(param string, owner func(ctx context.Context, id string) (subject string, err error)) Guard {
	return Guard{name: checkOwner, order: 1, hold: func(a *attempt) error {
		id := a.r.PathValue(param)
		if id == "" {
			return broken("the route has no {" + param + "}, which Owned asks for")
		}
		subject, err := owner(a.r.Context(), id)
		switch {
		case err == nil && subject != "" && subject == a.who.Subject:
			return nil
		case err == nil:
			a.private = "it belongs to somebody else"
		case errors.Is(err, ErrMissing):
			a.private = "it does not exist"
		case a.r.Context().Err() != nil:
			return a.r.Context().Err()
		default:
			return broken("the owner could not be read: " + err.Error())
		}
		return &Refusal{
			Check: checkOwner, Ref: reference(), Status: http.StatusNotFound, named: true,
			Title: "There is nothing here for you.", Detail: "no such object, or not yours",
		}
	}}
}

// inOrder checks a route's guards when it is set up, so that one that cannot
// work is seen at the start and not on the first request.
func (v *Verifier) inOrder(guards []Guard) []Guard {
	guards = slices.Clone(guards)
	for _, g := range guards {
		if g.hold == nil {
			panic("doorward: an empty Guard")
		}
		if g.feed && v.feed == nil {
			panic("doorward: " + g.name + " needs the revocation feed, but the verifier is stateless")
		}
	}
	slices.SortStableFunc(guards, func(a, b Guard) int { return a.order - b.order })
	return guards
}
