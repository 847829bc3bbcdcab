package manage

import (
	"context"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	deleteClient = check.Declare(289, "client.delete", clientFound, client.Own)
	editClient   = check.Declare(335, "client.edit", clientFound, client.Own, client.Current, client.Metadata, client.IDFree)
	rotateSecret = check.Declare(336, "client.rotate_secret", clientFound, client.HasSecret, client.OneSecret)
	retireSecret = check.Declare(337, "client.retire_secret", clientFound, client.HasFormer)
	pauseClient  = check.Declare(338, "client.pause", clientFound, client.Own)
	resumeClient = check.Declare(339, "client.resume", clientFound, client.Own)
)

// found holds that there is an application, whom the ledger then names.
func (m *Manage) found(j *settle.Judgement, id string) (c client.Client, ok bool) {
	if client.ValidID(id) {
		c = j.View.Client(id)
	}
	if !j.Hold(clientFound, c.Exists()) {
		return c, false
	}
	j.Client = c.ID
	return c, true
}

// FindClient finds an application; one that is not there is refused.
func (m *Manage) FindClient(ctx context.Context, id string) (c client.Client, err error) {
	v := m.pipe.Store.View(ctx)
	if client.ValidID(id) {
		c = v.Client(id)
	}
	if err := v.Err(); err != nil {
		return client.Client{}, err
	}
	if !c.Exists() {
		return client.Client{}, check.Refuse(clientFound)
	}
	return c, nil
}

// An Ended says what a change of an application ended.
type Ended string

// What a change may end, from nothing to everything.
const (
	EndedNothing Ended = ""
	EndedAccess  Ended = "access_tokens" // the next refresh gives narrower ones
	EndedAll     Ended = "tokens"
)

// Narrowed says what ends when an application is registered anew. What it may
// no longer have is in access tokens, which end at once: whoever still may
// have the rest gets a narrower one by refreshing. An application that is ours
// no longer, or need not prove itself any longer, begins anew.
func Narrowed(old, next client.Client) Ended {
	fewer := func(old, next []string) bool {
		return slices.ContainsFunc(old, func(s string) bool { return !slices.Contains(next, s) })
	}
	switch {
	case old.FirstParty && !next.FirstParty, old.Confidential() && !next.Confidential():
		return EndedAll
	case old.Auth != next.Auth, fewer(old.Scopes, next.Scopes), fewer(old.Resources, next.Resources), fewer(old.RedirectURIs, next.RedirectURIs),
		slices.ContainsFunc(client.GrantTypes, func(g string) bool { return old.MayGrant(g) && !next.MayGrant(g) }),
		old.Revocation != next.Revocation:
		return EndedAccess
	}
	return EndedNothing
}

// EditClient registers an application anew, as change makes it from what it is:
// change decides and does nothing else, for it may run again. A version, when
// there is one, is the guard that the change was made up on. A secret that the
// change calls for is told this once.
func (m *Manage) EditClient(ctx context.Context, by settle.Caller, id string, version *uint64, change func(client.Client) (client.Client, bool)) (made string, ended Ended, err error) {
	fresh := newSecret()
	before, err := m.FindClient(ctx, id)
	if err != nil && !refused(err) {
		return "", EndedNothing, err
	}
	var next client.Client
	next, _ = change(before)
	known := m.sectors(ctx, next)
	err = m.pipe.Run(ctx, editClient, by, func(j *settle.Judgement) core.Unit {
		made, ended = "", EndedNothing
		old, ok := m.found(j, id)
		if !ok || !j.Hold(client.Own, old.ID != client.BuiltIn) || !j.Hold(client.Current, version == nil || *version == old.Guard) {
			return nil
		}
		next, ok = change(old)
		var word check.Word
		var unit core.Unit
		if ok {
			next, made, unit = reproved(old, next, fresh, j.Now)
			if word, ok = m.reregistered(old, next); ok && !known(next) {
				word, ok = client.WordSector, false
			}
		}
		if !j.Hold(client.Metadata, ok, check.As(word)) || !j.Hold(client.IDFree, originsFree(j, next)) {
			return nil
		}
		unit = append(unit, revocation.Next{}, client.Edit{ID: next.ID, Guard: old.Guard, Name: next.Name, FirstParty: next.FirstParty, Auth: next.Auth,
			RedirectURIs: next.RedirectURIs, PostLogout: next.PostLogout, Origins: next.Origins, Resources: next.Resources, Scopes: next.Scopes,
			Grants: next.Grants, TokenFormat: next.TokenFormat, Settings: next.Settings, AccessLife: next.AccessMicros()},
			client.Unclaim{Client: next.ID}, client.Unpage{Client: next.ID},
			m.event(revocation.Name{Unit: revocation.Changed, ID: next.ID}, j.Now))
		unit = append(unit, places(next)...)
		if old.FirstParty || next.FirstParty {
			// Nodes that answered for an origin until now look again.
			unit = append(unit, m.event(revocation.Name{Unit: revocation.Changed, ID: client.BuiltIn}, j.Now))
		}
		switch ended = Narrowed(old, next); ended {
		case EndedAll:
			unit = append(unit, client.Cut{ID: next.ID})
		case EndedAccess:
			unit = append(unit, client.Trim{ID: next.ID})
		}
		if ended != EndedNothing {
			unit = append(unit, m.event(revocation.Name{Unit: revocation.Client, ID: next.ID}, j.Now))
		}
		return unit
	}, nil)
	if err != nil {
		return "", EndedNothing, err
	}
	m.needs(ctx, next)
	return made, ended, nil
}

// reproved gives an application that now proves itself with a secret its
// first, and takes those of one away that does so no more.
func reproved(old, next client.Client, fresh string, now time.Time) (client.Client, string, core.Unit) {
	switch was, is := client.Secretive(old.Auth), client.Secretive(next.Auth); {
	case is && !was:
		next.Secret = client.Secret{Hash: client.HashOf(next.ID, fresh), Made: now}
		return next, fresh, core.Unit{client.Reprove{ID: next.ID, Hash: next.Secret.Hash, Made: now}}
	case was && !is:
		next.Secret, next.Former = client.Secret{}, client.Secret{}
		return next, "", core.Unit{client.Reprove{ID: next.ID}}
	}
	return next, "", nil
}

// reregistered judges what an application is to be, and that it stays the same
// one.
func (m *Manage) reregistered(old, next client.Client) (check.Word, bool) {
	switch {
	case next.ID != old.ID:
		return client.WordID, false
	case next.Type != old.Type:
		return client.WordType, false
	}
	return m.acceptable(next)
}

// RotateSecret gives an application its next secret, which is told this once.
// The one it had goes on working for the overlap.
func (m *Manage) RotateSecret(ctx context.Context, by settle.Caller, id string, overlap time.Duration) (made string, err error) {
	made = newSecret()
	err = m.pipe.Run(ctx, rotateSecret, by, func(j *settle.Judgement) core.Unit {
		c, ok := m.found(j, id)
		if !ok || !j.Hold(client.HasSecret, client.Secretive(c.Auth)) || !j.Hold(client.OneSecret, overlap <= 0 || !c.Former.Live(j.Now)) {
			return nil
		}
		return core.Unit{revocation.Next{}, client.Resecret{ID: c.ID, Guard: c.Guard, Hash: client.HashOf(c.ID, made), Made: j.Now, Until: j.Now.Add(max(overlap, 0))},
			m.event(revocation.Name{Unit: revocation.Changed, ID: c.ID}, j.Now)}
	}, nil)
	if err != nil {
		return "", err
	}
	return made, nil
}

// RetireSecret ends an application's former secret before its time.
func (m *Manage) RetireSecret(ctx context.Context, by settle.Caller, id string) error {
	return m.pipe.Run(ctx, retireSecret, by, func(j *settle.Judgement) core.Unit {
		c, ok := m.found(j, id)
		if !ok || !j.Hold(client.HasFormer, c.Former.Live(j.Now)) {
			return nil
		}
		return core.Unit{revocation.Next{}, client.Retire{ID: c.ID, Guard: c.Guard, At: j.Now}, m.event(revocation.Name{Unit: revocation.Changed, ID: c.ID}, j.Now)}
	}, nil)
}

// PauseClient stops an application from everything: what it was given loses
// trust in the unit that pauses it.
func (m *Manage) PauseClient(ctx context.Context, by settle.Caller, id string) error {
	return m.pipe.Run(ctx, pauseClient, by, func(j *settle.Judgement) core.Unit {
		c, ok := m.found(j, id)
		if !ok || !j.Hold(client.Own, c.ID != client.BuiltIn) || c.Paused {
			return nil
		}
		return core.Unit{revocation.Next{}, client.Pause{ID: c.ID, Guard: c.Guard}, m.event(revocation.Name{Unit: revocation.Client, ID: c.ID}, j.Now)}
	}, nil)
}

// ResumeClient lets a paused application ask again. What the pause ended stays
// ended.
func (m *Manage) ResumeClient(ctx context.Context, by settle.Caller, id string) error {
	return m.pipe.Run(ctx, resumeClient, by, func(j *settle.Judgement) core.Unit {
		c, ok := m.found(j, id)
		if !ok || !j.Hold(client.Own, c.ID != client.BuiltIn) || !c.Paused {
			return nil
		}
		return core.Unit{revocation.Next{}, client.Resume{ID: c.ID, Guard: c.Guard}, m.event(revocation.Name{Unit: revocation.Changed, ID: c.ID}, j.Now)}
	}, nil)
}

// DeleteClient takes an application away; what it was given ends at once. Its
// id is never given again: tokens, consents and the ledger name it.
func (m *Manage) DeleteClient(ctx context.Context, by settle.Caller, id string) error {
	return m.pipe.Run(ctx, deleteClient, by, func(j *settle.Judgement) core.Unit {
		c, ok := m.found(j, id)
		if !ok || !j.Hold(client.Own, c.ID != client.BuiltIn) {
			return nil
		}
		return append(core.Unit{revocation.Next{}, client.Delete{ID: c.ID, Guard: c.Guard, At: j.Now}, client.Unclaim{Client: c.ID}, client.Unpage{Client: c.ID}, client.Orphan{Client: c.ID}, client.Distrust{Client: c.ID},
			m.event(revocation.Name{Unit: revocation.Client, ID: c.ID}, j.Now)}, m.unshared(j, c.ID)...)
	}, nil)
}
