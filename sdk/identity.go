package doorward

import (
	"context"
	"slices"
	"time"
)

// An Identity is who a request comes from, as far as it was proved. It is the
// caller's own copy.
type Identity struct {
	Subject      string    // the person or machine; never changes and is never given again
	Session      string    // the session that the token was cut from; empty for machines
	Grant        string    // this client in that session, or a consent
	Client       string    // the application that holds the token
	Actors       []string  // who acts for the subject, the latest first; empty when it acts itself (RFC 8693)
	Organization string    // the organization acted for; empty: none
	TokenID      string    // jti
	Scopes       []string  // what the token may be used for
	ACR          string    // how strongly the person proved who they are
	AMR          []string  // by which methods
	SignedInAt   time.Time // when they did; zero for machines
	IssuedAt     time.Time
	Expires      time.Time

	// Stale says that the server could not be reached and the view of
	// revocations is older than 5 s: the session may have ended meanwhile.
	Stale bool
	// ViewAge is how long ago the token was last known to be alive. For a
	// stateless verifier, which never asks, it is the largest duration.
	ViewAge time.Duration
}

// HasScope says whether the token carries the scope.
func (i *Identity) HasScope(scope string) bool { return slices.Contains(i.Scopes, scope) }

type contextKey struct{}

// From returns who the request comes from. It is never nil behind
// [Verifier.Require]; elsewhere it is nil, so that a handler that was left
// unguarded fails loudly.
func From(ctx context.Context) *Identity {
	a, _ := ctx.Value(contextKey{}).(*attempt)
	if a == nil {
		return nil
	}
	return a.who
}

// who is the identity of a token that was found alive.
func (t *verified) who(at standing) *Identity {
	who := t.identity()
	who.Stale, who.ViewAge = at.stale, at.age
	return who
}

// identity copies what may be known of a token. The two lists share one array,
// cut so that neither can grow into the other.
func (t *verified) identity() *Identity {
	n := len(t.scopes)
	lists := make([]string, n+len(t.amr))
	copy(lists, t.scopes)
	copy(lists[n:], t.amr)
	who := &Identity{
		Subject: t.subject, Session: t.session, Grant: t.grant, Client: t.client,
		Organization: t.organization, TokenID: t.id, Actors: slices.Clone(t.actors),
		Scopes: lists[:n:n], ACR: t.acr, AMR: lists[n:],
		IssuedAt: time.Unix(t.issued, 0), Expires: time.Unix(t.expires, 0),
	}
	if t.authenticated > 0 {
		who.SignedInAt = time.Unix(t.authenticated, 0)
	}
	return who
}
