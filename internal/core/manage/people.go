package manage

import (
	"context"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

// Checks of what operators bring and take, and of administrators.
var (
	hashTaken = check.New(check.Check{Number: 711, ID: "import.hash", Fault: fault.Unacceptable, Shown: "import.hash",
		Says: "The password's hash is one that can be compared with: argon2id as a PHC string, or bcrypt, within bounds.", Source: "RFC 9106; ASVS 11.4.2",
		Title: "The password hash is of a kind or cost that is not taken.", Stops: []string{"MFA-22", "DOS-02"}})
	idFree = check.New(check.Check{Number: 712, ID: "import.id", Fault: fault.Conflict, Shown: "import.id",
		Says: "No other person has this id.", Source: "ASVS 8.2.2",
		Title: "Somebody else has this id already."})
	timely = check.New(check.Check{Number: 713, ID: "import.created", Fault: fault.Unacceptable, Shown: "import.created",
		Says: "The account was made in the past.", Source: "ASVS 2.2.1",
		Title: "The account cannot have been made in the future."})
	onHost = check.New(check.Check{Number: 714, ID: "export.on_host", Fault: fault.Denied, Shown: "export.on_host",
		Says: "Password hashes leave only through the socket on the host.", Source: "ASVS 11.4.2, 14.2.6",
		Title: "Password hashes are exported on the host only."})
)

var (
	importUser  = check.Declare(261, "user.import", identity.AddressForm, hashTaken, timely, idFree)
	exportUsers = check.Declare(262, "users.export", onHost)
	editUser    = check.Declare(263, "user.edit", identity.Found)
	appoint     = check.Declare(264, "admin.appoint", identity.Found, identity.IsActive)
	dismiss     = check.Declare(265, "admin.dismiss", identity.Found, identity.NotLast)
)

// A Moved person is one who comes from another product, or goes to one.
type Moved struct {
	ID       identity.UserID // zero: a new one
	Email    string
	Name     string
	Verified bool
	Paused   bool
	Hash     string    // of the password; empty when there is none
	Created  time.Time // zero: now
}

// An Outcome is what came of an imported person.
type Outcome uint8

// The outcomes of an import that was not refused.
const (
	Unchanged Outcome = iota
	Created
	Updated
)

func (o Outcome) String() string { return [...]string{"unchanged", "created", "updated"}[o] }

// ImportUser brings a person in. Whoever has the address already is left as
// they are, so that an import may be repeated; update brings their name, and
// whether the address is theirs, up to date. Never a password: an old file
// must not undo a change.
func (m *Manage) ImportUser(ctx context.Context, by settle.Caller, in Moved, update bool) (id identity.UserID, out Outcome, err error) {
	address, formed := identity.Canonical(in.Email)
	v := m.pipe.Store.View(ctx)
	if u := v.UserByAddress(address); formed && u.Exists() && v.Err() == nil && !(update && differs(u, in)) {
		return u.ID, Unchanged, nil
	}
	fresh := in.ID
	if fresh.IsZero() {
		fresh = identity.NewUserID(m.pipe.Now(), secret.Random16())
	}
	err = m.pipe.Run(ctx, importUser, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(identity.AddressForm, formed) ||
			!j.Hold(hashTaken, in.Hash == "" || factor.Verifiable(in.Hash)) ||
			!j.Hold(timely, !in.Created.After(j.Now)) {
			return nil
		}
		u := j.UserByAddress(address)
		if !j.Hold(idFree, u.Exists() || j.View.User(fresh).State == identity.Nobody) {
			return nil
		}
		if u.Exists() {
			j.User, id, out = u.ID, u.ID, Unchanged
			if !update || !differs(u, in) {
				return nil
			}
			out = Updated
			return core.Unit{identity.Describe{ID: u.ID, Guard: u.Guard, Name: in.Name, Verified: in.Verified}}
		}
		created := in.Created
		if created.IsZero() {
			created = j.Now
		}
		j.User, id, out = fresh, fresh, Created
		unit := core.Unit{identity.Create{ID: fresh, Email: strings.TrimSpace(in.Email), Address: address, Name: in.Name, Verified: in.Verified, Created: created}}
		if in.Hash != "" {
			unit = append(unit, factor.Enrol{User: fresh, PHC: in.Hash, Changed: created})
		}
		if in.Paused {
			unit = append(unit, revocation.Next{}, identity.Pause{ID: fresh})
		}
		return unit
	}, nil)
	return id, out, err
}

func differs(u identity.User, in Moved) bool { return u.Name != in.Name || u.Verified != in.Verified }

// ExportUsers records that everybody is taken out, and by whom. Hashes of
// passwords are for operators on the host.
func (m *Manage) ExportUsers(ctx context.Context, by settle.Caller, hashes, host bool) error {
	return m.pipe.Run(ctx, exportUsers, by, func(j *settle.Judgement) core.Unit {
		j.Hold(onHost, host || !hashes)
		return nil
	}, nil)
}

// Exported is a page of people after an id, as they leave.
func (m *Manage) Exported(ctx context.Context, after identity.UserID, limit int, hashes bool) ([]Moved, error) {
	v := m.pipe.Store.View(ctx)
	users := v.Users(after, limit)
	out := make([]Moved, len(users))
	for i, u := range users {
		out[i] = Moved{ID: u.ID, Email: u.Email, Name: u.Name, Verified: u.Verified, Paused: u.State == identity.Paused, Created: u.Created}
		if hashes {
			out[i].Hash = v.Password(u.ID).PHC
		}
	}
	return out, v.Err()
}

// EditUser changes a person's name, and whether their address is known to be
// theirs; what is nil stays.
func (m *Manage) EditUser(ctx context.Context, by settle.Caller, id identity.UserID, name *string, verified *bool) error {
	return m.pipe.Run(ctx, editUser, by, func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) {
			return nil
		}
		j.User = id
		w := identity.Describe{ID: id, Guard: u.Guard, Name: u.Name, Verified: u.Verified}
		if name != nil {
			w.Name = *name
		}
		if verified != nil {
			w.Verified = *verified
		}
		return core.Unit{w}
	}, nil)
}

// Appoint makes a person an administrator.
func (m *Manage) Appoint(ctx context.Context, by settle.Caller, id identity.UserID) error {
	return m.pipe.Run(ctx, appoint, by, func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) {
			return nil
		}
		j.User = id
		if !j.Hold(identity.IsActive, u.State == identity.Active) || u.Admin {
			return nil
		}
		unit := core.Unit{identity.Appoint{ID: id, Guard: u.Guard}}
		if !j.Deployment().AdminEver {
			unit = append(unit, deployment.Administered{}) // there is no setup any more (attack TEN-15)
		}
		return unit
	}, nil)
}

// Dismiss takes the role of administrator away. It counts at once, for the
// role is read at each request.
func (m *Manage) Dismiss(ctx context.Context, by settle.Caller, id identity.UserID) error {
	return m.pipe.Run(ctx, dismiss, by, func(j *settle.Judgement) core.Unit {
		u := j.View.User(id)
		if !j.Hold(identity.Found, u.Exists()) {
			return nil
		}
		j.User = id
		if !j.Hold(identity.NotLast, !u.Last(j.Administrators())) || !u.Admin {
			return nil
		}
		return core.Unit{revocation.Next{}, identity.Dismiss{ID: id, Guard: u.Guard}, m.event(revocation.Name{Unit: revocation.Changed, ID: id.String()}, j.Now)}
	}, nil)
}
