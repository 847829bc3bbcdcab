// Package manage is how operators change what is kept: people, applications,
// sessions. Every change is an exchange of named checks like any other.
package manage

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// A Policy is what bounds changes.
type Policy struct {
	Issuer      string
	PasswordMin int // code points
	Token       token.Lifetimes
	Development bool // applications may live on this machine
	// Registration is who may have an application registered without an
	// operator: client.RegisterOff and its likes.
	Registration string
	Scale        int // multiplies budgets
	// Documents reads the lists that speak for sectors; nil reads none.
	Documents library
}

// Manage makes changes that settle on a pipeline.
type Manage struct {
	pipe   *settle.Pipeline
	gate   *factor.Gate
	keys   Keys
	policy Policy
	node   [16]byte // whose jobs these are, until others may think it gone
}

// New makes one.
func New(pipe *settle.Pipeline, gate *factor.Gate, keys Keys, policy Policy) *Manage {
	return &Manage{pipe: pipe, gate: gate, keys: keys, policy: policy, node: secret.Random16()}
}

var (
	createUser = check.Declare(201, "user.create", identity.AddressForm, factor.PasswordGood, identity.AddressFree)
	pauseUser  = check.Declare(202, "user.pause", identity.Found)
	letIn      = check.Declare(203, "user.restore", identity.Found)
)

// A NewUser is a person to be.
type NewUser struct {
	Email    string
	Name     string
	Verified bool
	Admin    bool
	Password string // empty: none yet
}

// CreateUser adds a person.
func (m *Manage) CreateUser(ctx context.Context, by settle.Caller, in NewUser) (identity.User, error) {
	address, formed := identity.Canonical(in.Email)
	finding := factor.Fine
	phc := ""
	if in.Password != "" {
		finding = factor.Judge(in.Password, m.policy.PasswordMin, factor.ContextWords(address, "doorward"))
		if finding == factor.Fine {
			salt := secret.Random16()
			if err := m.gate.Do(ctx, factor.SignedIn, func() { phc = factor.Hash(in.Password, salt[:]) }); err != nil {
				var busy *factor.Busy
				if errors.As(err, &busy) {
					return identity.User{}, check.Refuse(factor.HasherFree, check.Wait(busy.RetryAfter))
				}
				return identity.User{}, errors.Join(core.ErrUnavailable, err)
			}
		}
	}
	id := identity.NewUserID(m.pipe.Now(), secret.Random16())
	var made identity.User
	err := m.pipe.Run(ctx, createUser, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(identity.AddressForm, formed) {
			return nil
		}
		if !j.Hold(factor.PasswordGood, finding == factor.Fine, finding.Details()...) {
			return nil
		}
		if !j.Hold(identity.AddressFree, !j.UserByAddress(address).Exists()) {
			return nil
		}
		j.User = id
		made = identity.User{ID: id, Email: strings.TrimSpace(in.Email), Address: address, Name: in.Name, Verified: in.Verified, Admin: in.Admin, State: identity.Active, Created: j.Now}
		u := core.Unit{identity.Create{ID: id, Email: made.Email, Address: address, Name: in.Name, Verified: in.Verified, Admin: in.Admin, Created: j.Now}}
		if in.Admin && !j.Deployment().AdminEver {
			u = append(u, deployment.Administered{}) // there is no setup any more (attack TEN-15)
		}
		if phc != "" {
			u = append(u, factor.Enrol{User: id, PHC: phc, Changed: j.Now})
		}
		return u
	}, nil)
	return made, err
}

// PauseUser stops a person from everything: their sessions, families and
// tokens lose trust in the unit that pauses them.
func (m *Manage) PauseUser(ctx context.Context, by settle.Caller, id identity.UserID) error {
	return m.pipe.Run(ctx, pauseUser, by, func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) || u.State == identity.Paused {
			return nil
		}
		j.User = id
		return core.Unit{revocation.Next{}, identity.Pause{ID: id, Guard: u.Guard}, m.event(revocation.Name{Unit: revocation.User, ID: id.String()}, j.Now)}
	}, nil)
}

// RestoreUser lets a paused person in again. What the pause ended stays ended.
func (m *Manage) RestoreUser(ctx context.Context, by settle.Caller, id identity.UserID) error {
	return m.pipe.Run(ctx, letIn, by, func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) || u.State != identity.Paused {
			return nil
		}
		j.User = id
		return core.Unit{identity.Restore{ID: id, Guard: u.Guard}}
	}, nil)
}

func (m *Manage) event(n revocation.Name, now time.Time) revocation.Revoke {
	return revocation.Of(n, now, m.policy.Token.Access, m.policy.Token.Leeway)
}

// Users lists people after an id, at most limit.
func (m *Manage) Users(ctx context.Context, after identity.UserID, limit int) ([]identity.User, error) {
	v := m.pipe.Store.View(ctx)
	all := v.Users(after, limit)
	return all, v.Err()
}

// FindUser finds a person by id or address; one that is not there is refused.
// Of one who was deleted the id finds what is left.
func (m *Manage) FindUser(ctx context.Context, text string) (identity.User, error) {
	v := m.pipe.Store.View(ctx)
	u := find(v, text)
	if err := v.Err(); err != nil {
		return identity.User{}, err
	}
	if u.State == identity.Nobody {
		return identity.User{}, check.Refuse(identity.Found)
	}
	return u, nil
}

func find(v core.View, text string) identity.User {
	if id, err := identity.ParseUserID(text); err == nil {
		return v.User(id)
	}
	if address, ok := identity.Canonical(text); ok {
		return v.UserByAddress(address)
	}
	return identity.User{}
}
