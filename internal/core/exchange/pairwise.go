package exchange

import (
	"context"
	"fmt"
	"slices"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// owner finds the person of an access token through what it hangs on: its sub
// may be a name that only its sector knows.
func owner(v core.View, c token.Claims) identity.UserID {
	if !token.IsPairwise(c.Subject) {
		id, _ := identity.ParseUserID(c.Subject)
		return id
	}
	if grant, err := client.ParseGrantID(c.Grant); err == nil {
		if consent := v.Granted(grant); consent.Exists() {
			return consent.User
		}
	}
	if sid, err := session.ParseID(c.Session); err == nil {
		return v.Session(sid).User
	}
	return identity.UserID{}
}

// owned says whether the person of a token with a pairwise sub still stands
// where it was issued: the feed names them by their id. One whom nobody finds
// is nobody.
func (x *Exchanges) owned(v core.View, c token.Claims) bool {
	id := owner(v, c)
	return !id.IsZero() && !x.pipe.Feed.Dead(c.Rev, revocation.Name{Unit: revocation.User, ID: id.String()})
}

// renamed gives a reader events of people under the names that its tokens carry:
// the person's id where some application with tokens for it uses that, and a
// name for each sector of those that do not.
func (x *Exchanges) renamed(ctx context.Context, reader client.Client, events []revocation.Event) ([]revocation.Event, error) {
	if !slices.ContainsFunc(events, func(e revocation.Event) bool { return e.Name.Unit == revocation.User }) {
		return events, nil
	}
	v := x.pipe.Store.View(ctx)
	var sectors []string
	public := false
	for _, c := range v.Clients() {
		switch s := c.Sector(); {
		case c.ID == reader.ID || !slices.ContainsFunc(c.Resources, reader.Owns) && !slices.ContainsFunc(c.TradesFor(), reader.Owns):
		case c.SubjectType != client.SubjectPairwise:
			public = true
		case !slices.Contains(sectors, s):
			sectors = append(sectors, s)
		}
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	if len(sectors) == 0 {
		return events, nil
	}
	key := x.keys.Ring().Pairwise
	if key == nil {
		// What it could be told names people by what it must not know, and none of
		// the tokens that it has.
		return nil, fmt.Errorf("exchange: %w: there is no key of pairwise names yet", core.ErrUnavailable)
	}
	slices.Sort(sectors)
	var out []revocation.Event
	for _, e := range events {
		id, err := identity.ParseUserID(e.Name.ID)
		if e.Name.Unit != revocation.User || err != nil || public {
			out = append(out, e)
		}
		if e.Name.Unit == revocation.User && err == nil {
			for _, s := range sectors {
				e.Name.ID = token.PairwiseSubject(key, s, id)
				out = append(out, e)
			}
		}
	}
	return out, nil
}
