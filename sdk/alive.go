package doorward

import (
	"context"
	"math"
	"time"
)

// A standing says how well it is known that a token is alive.
type standing struct {
	age   time.Duration // how old the knowledge is
	stale bool          // the server could not be reached to renew it
}

// alive judges whether the token, or what it was cut from, was revoked.
//
// A view of at most 5 s decides. While it is older, the server is asked about
// each token. When the server cannot be reached at all, the last view decides
// for 5 minutes more, and the standing says so.
func (v *Verifier) alive(ctx context.Context, t *verified, token string, now time.Time) (standing, error) {
	if t.strict {
		return v.strictly(ctx, t, token)
	}
	if v.feed == nil {
		return standing{age: math.MaxInt64}, nil
	}
	// What is dead stays dead, however old the view.
	if unit, dead := v.feed.kills(t); dead {
		return standing{}, revoked(unit)
	}
	s := v.feed.state.Load()
	if s.age(now) <= viewFresh {
		if !t.hasRev || t.rev <= s.position {
			return standing{age: s.age(now)}, nil
		}
		if known, err := v.ahead(ctx, t); known || err != nil {
			return standing{age: v.feed.state.Load().age(v.now())}, err
		}
	}
	return v.asked(ctx, t, token)
}

// strictly asks the server about one use of a token that its application wants
// asked about at every use. No view and no former answer stands in for that:
// a server that cannot be reached is no answer.
func (v *Verifier) strictly(ctx context.Context, t *verified, token string) (standing, error) {
	if v.asker == nil {
		return standing{}, unsure(checkReach, "the token is to be asked about at every use; a stateless verifier has nobody to ask")
	}
	if unit, dead := v.feed.kills(t); dead {
		return standing{}, revoked(unit)
	}
	active, _, err := v.asker.introspect(ctx, token)
	switch {
	case ctx.Err() != nil:
		return standing{}, ctx.Err()
	case err != nil:
		return standing{}, unsure(checkReach, "the server was not asked about this use of the token: "+err.Error())
	case !active:
		return standing{}, signed(refuse(checkRevoked, "the server says that the token is not active"))
	}
	return standing{}, nil
}

// ahead judges a token that was issued later than this view reaches. It is read
// up to now; a token that is still ahead of the server's own head comes from a
// future that did not happen (a database that went back in time). Not known
// means that the server could not be read.
func (v *Verifier) ahead(ctx context.Context, t *verified) (known bool, err error) {
	err = v.feed.catchUp(ctx, func(s *state) bool { return s.position >= t.rev })
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return false, nil
	}
	if v.feed.state.Load().position < t.rev {
		return false, signed(refuse(checkPosition, "the token was issued at a position that the server has not reached"))
	}
	if unit, dead := v.feed.kills(t); dead {
		return false, revoked(unit)
	}
	return true, nil
}

// asked takes the server's word on one token.
func (v *Verifier) asked(ctx context.Context, t *verified, token string) (standing, error) {
	ans, err := v.asker.ask(ctx, token)
	if ctx.Err() != nil {
		return standing{}, ctx.Err()
	}
	now := v.now()
	if err == nil {
		if !ans.active {
			return standing{}, signed(refuse(checkRevoked, "the server says that the token is not active"))
		}
		return standing{age: max(now.Sub(ans.at), 0)}, nil
	}
	// Time passed and events may have come in while the server was asked.
	if unit, dead := v.feed.kills(t); dead {
		return standing{}, revoked(unit)
	}
	return v.unreached(err, now)
}

// unreached says how a token stands that the server could not be asked about:
// the last view decides, for a while.
func (v *Verifier) unreached(err error, now time.Time) (standing, error) {
	s := v.feed.state.Load()
	switch {
	case !unreachable(err):
		return standing{}, unsure(checkReach, "the server does not answer this API's client: "+err.Error())
	case !s.ever:
		return standing{}, unsure(checkFeed, "the server was never reached")
	case s.age(now) > viewFresh+viewSpent:
		return standing{}, unsure(checkFeed, "the server was not reached for more than 5 minutes")
	}
	return standing{age: s.age(now), stale: true}, nil
}

func revoked(unit string) error {
	what := map[string]string{
		unitToken: "the token was revoked", unitSession: "its session has ended",
		unitGrant: "what was granted to this app has ended", unitUser: "every session of this user was ended",
		unitClient: "this app was stopped", unitOrg: "this organization was stopped",
		unitKey: "its signing key is no longer trusted", unitAll: "everything issued before was ended",
	}
	return signed(refuse(checkRevoked, what[unit]))
}
