package sql

import (
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// Scanners from columns to the types of the core.

// at scans microseconds into an instant.
type at struct{ t *time.Time }

func (a at) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("sql: %T is no instant", src)
	}
	*a.t = instant(n)
	return nil
}

// raw scans bytes into an array of exactly that length.
type raw []byte

func (r raw) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(r) {
		return fmt.Errorf("sql: %d bytes expected, %T found", len(r), src)
	}
	copy(r, b)
	return nil
}

// list scans lines.
type list struct{ s *[]string }

func (l list) Scan(src any) error {
	var text string
	switch x := src.(type) {
	case string:
		text = x
	case []byte:
		text = string(x)
	default:
		return fmt.Errorf("sql: %T is no list", src)
	}
	*l.s = lines(text)
	return nil
}

func (v *view) Deployment() (d deployment.Deployment) {
	v.one(`select issuer, mode, created from deployment`, nil, &d.Issuer, &d.Mode, at{&d.Created})
	return d
}

const userColumns = `id, email, address, name, verified, state, guard, cut, created`

func (v *view) scanUser(scan func(...any) error) (u identity.User, err error) {
	err = scan(raw(u.ID[:]), &u.Email, &u.Address, &u.Name, &u.Verified, &u.State, &u.Guard, &u.Cut, at{&u.Created})
	if err == nil {
		v.sees(u.Cut)
	}
	return u, err
}

func (v *view) User(id identity.UserID) identity.User {
	return v.user(`select `+userColumns+` from users where id = $1`, id[:])
}

func (v *view) UserByAddress(address string) identity.User {
	return v.user(`select `+userColumns+` from users where address = $1`, address)
}

func (v *view) user(text string, arg any) (u identity.User) {
	v.many(text, []any{arg}, func(scan func(...any) error) (err error) {
		u, err = v.scanUser(scan)
		return err
	})
	return u
}

func (v *view) Users(after identity.UserID, limit int) (out []identity.User) {
	v.many(`select `+userColumns+` from users where id > $1 order by id limit $2`, []any{after[:], limit}, func(scan func(...any) error) error {
		u, err := v.scanUser(scan)
		out = append(out, u)
		return err
	})
	return out
}

func (v *view) Password(user identity.UserID) (p factor.Password) {
	if v.one(`select phc, version, changed from passwords where user_id = $1`, []any{user[:]}, &p.PHC, &p.Version, at{&p.Changed}) {
		p.User = user
	}
	return p
}

const sessionColumns = `id, user_id, hash, rev, cut, created, auth_time, idle_until, max_until, last_seen, method, ip, user_agent, ended, why`

func (v *view) sessions(text string, args ...any) (out []session.Session) {
	v.many(text, args, func(scan func(...any) error) error {
		var s session.Session
		err := scan(raw(s.ID[:]), raw(s.User[:]), raw(s.Hash[:]), &s.Rev, &s.Cut, at{&s.Created}, at{&s.AuthTime}, at{&s.IdleUntil}, at{&s.MaxUntil},
			at{&s.LastSeen}, &s.Method, &s.IP, &s.UserAgent, at{&s.Ended}, &s.Why)
		out = append(out, s)
		return err
	})
	return out
}

func first[T any](all []T) (zero T) {
	if len(all) == 0 {
		return zero
	}
	return all[0]
}

func (v *view) Session(id session.ID) session.Session {
	return first(v.sessions(`select `+sessionColumns+` from sessions where id = $1`, id[:]))
}

func (v *view) SessionByHash(hash [32]byte) session.Session {
	return first(v.sessions(`select `+sessionColumns+` from sessions where hash = $1`, hash[:]))
}

func (v *view) Sessions(q session.Query) []session.Session {
	if q.User.IsZero() {
		return v.sessions(`select `+sessionColumns+` from sessions order by id desc limit $1`, q.Limit)
	}
	return v.sessions(`select `+sessionColumns+` from sessions where user_id = $1 order by id desc limit $2`, q.User[:], q.Limit)
}

func (v *view) Family(id token.FamilyID) (f token.Family) {
	ok := v.one(`select client_id, session_id, user_id, key_tag, salt, generation, current, rev, scopes, created, rotated_at, idle_until, max_until, ended from families where id = $1`,
		[]any{id[:]}, &f.Client, raw(f.Session[:]), raw(f.User[:]), raw(f.KeyTag[:]), raw(f.Salt[:]), &f.Generation, raw(f.Current[:]), &f.Rev,
		list{&f.Scopes}, at{&f.Created}, at{&f.RotatedAt}, at{&f.IdleUntil}, at{&f.MaxUntil}, at{&f.Ended})
	if !ok {
		return token.Family{}
	}
	f.ID = id
	return f
}

const clientColumns = `c.id, c.name, c.type, c.first_party, c.auth, c.secret_hash, c.redirect_uris, c.post_logout, c.origins, c.resources, c.scopes, c.grants, c.paused, c.cut, c.created`

func (v *view) clients(text string, args ...any) (out []client.Client) {
	v.many(text, args, func(scan func(...any) error) error {
		var c client.Client
		err := scan(&c.ID, &c.Name, &c.Type, &c.FirstParty, &c.Auth, raw(c.SecretHash[:]), list{&c.RedirectURIs}, list{&c.PostLogout}, list{&c.Origins},
			list{&c.Resources}, list{&c.Scopes}, list{&c.Grants}, &c.Paused, &c.Cut, at{&c.Created})
		v.sees(c.Cut)
		out = append(out, c)
		return err
	})
	return out
}

func (v *view) Client(id string) client.Client {
	return first(v.clients(`select `+clientColumns+` from clients c where c.id = $1`, id))
}

func (v *view) ClientOf(origin string) client.Client {
	return first(v.clients(`select `+clientColumns+` from clients c join client_origins o on o.client_id = c.id where o.origin = $1`, origin))
}

func (v *view) Clients() []client.Client {
	return v.clients(`select ` + clientColumns + ` from clients c order by c.id`)
}

func (v *view) Keys() (out []key.Key) {
	v.many(`select purpose, number, kid, alg, sealed, created, compromised from keys order by purpose, number`, nil, func(scan func(...any) error) error {
		var k key.Key
		err := scan(&k.Purpose, &k.Number, &k.KID, &k.Alg, &k.Sealed, at{&k.Created}, &k.Compromised)
		out = append(out, k)
		return err
	})
	return out
}

func (v *view) Head() (seq uint64) {
	v.one(headQuery, nil, &seq)
	return seq
}

func (v *view) Events(after uint64, limit int) (out []revocation.Event) {
	v.many(`select seq, at, unit, name, not_before, until from feed_events
		where seq > $1 and seq <= coalesce((select max(seq) from (select seq from feed_events where seq > $1 order by seq limit $2) as page), 0)
		order by seq, unit, name`, []any{int64(after), limit}, func(scan func(...any) error) error {
		var e revocation.Event
		err := scan(&e.Seq, at{&e.At}, &e.Name.Unit, &e.Name.ID, at{&e.NotBefore}, at{&e.Until})
		out = append(out, e)
		return err
	})
	return out
}

func (v *view) Failures(k [32]byte) (f risk.Failures) {
	v.one(`select count, last from failures where key = $1`, []any{k[:]}, &f.Count, at{&f.Last})
	return f
}

func (v *view) Knows(k [32]byte, now time.Time) bool {
	var until time.Time
	return v.one(`select until from known_networks where key = $1`, []any{k[:]}, at{&until}) && now.Before(until)
}
