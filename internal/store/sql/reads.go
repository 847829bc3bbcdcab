package sql

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/outbox"
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

// optional is raw where there may be nothing.
type optional []byte

func (o optional) Scan(src any) error {
	if src == nil {
		return nil
	}
	return raw(o).Scan(src)
}

// flag scans a whole number that stands for yes or no.
type flag struct{ b *bool }

func (f flag) Scan(src any) error {
	n, ok := src.(int64)
	if !ok || n != 0 && n != 1 {
		return fmt.Errorf("sql: %v is neither yes nor no", src)
	}
	*f.b = n == 1
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

// object scans a JSON object.
type object struct{ v any }

func (o object) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("sql: %T is no object", src)
	}
	return json.Unmarshal([]byte(text), o.v)
}

func (v *view) Deployment() (d deployment.Deployment) {
	v.one(`select issuer, mode, created, admin_ever from deployment`, nil, &d.Issuer, &d.Mode, at{&d.Created}, flag{&d.AdminEver})
	return d
}

const userColumns = `u.id, u.email, u.address, u.name, u.verified, u.admin, u.state, u.guard, u.cut, u.created, u.delete_at`

func userFields(u *identity.User) []any {
	return []any{raw(u.ID[:]), &u.Email, &u.Address, &u.Name, flag{&u.Verified}, flag{&u.Admin}, &u.State, &u.Guard, &u.Cut, at{&u.Created}, at{&u.DeleteAt}}
}

func (v *view) scanUser(scan func(...any) error) (u identity.User, err error) {
	if err = scan(userFields(&u)...); err == nil {
		v.sees(u.Cut)
	}
	return u, err
}

func (v *view) User(id identity.UserID) identity.User {
	return v.user(`select `+userColumns+` from users u where u.id = $1`, id[:])
}

func (v *view) UserByAddress(address string) identity.User {
	return v.user(`select `+userColumns+` from users u where u.address = $1`, address)
}

func (v *view) user(text string, arg any) (u identity.User) {
	v.many(text, []any{arg}, func(scan func(...any) error) (err error) {
		u, err = v.scanUser(scan)
		return err
	})
	return u
}

func (v *view) Users(after identity.UserID, limit int) (out []identity.User) {
	v.many(`select `+userColumns+` from users u where u.id > $1 and u.state <> 3 order by u.id limit $2`, []any{after[:], limit}, func(scan func(...any) error) error {
		u, err := v.scanUser(scan)
		out = append(out, u)
		return err
	})
	return out
}

func (v *view) Leaving(now time.Time, limit int) (out []identity.User) {
	v.many(`select `+userColumns+` from users u where u.delete_at > 0 and u.delete_at <= $1 and u.state <> 3 order by u.delete_at limit $2`, []any{micros(now), limit},
		func(scan func(...any) error) error {
			u, err := v.scanUser(scan)
			out = append(out, u)
			return err
		})
	return out
}

func (v *view) Deleted(limit int) (out []identity.UserID) {
	v.many(`select id from users where delete_at > 0 and state = 3 order by delete_at limit $1`, []any{limit}, func(scan func(...any) error) error {
		var i identity.UserID
		err := scan(raw(i[:]))
		out = append(out, i)
		return err
	})
	return out
}

func (v *view) Administrators() (n int) {
	v.one(`select count(*) from users where admin = 1 and state = 1`, nil, &n)
	return n
}

func (v *view) Password(user identity.UserID) (p factor.Password) {
	if v.one(`select phc, version, changed, distrusted from passwords where user_id = $1`, []any{user[:]}, &p.PHC, &p.Version, at{&p.Changed}, flag{&p.Distrusted}) {
		p.User = user
	}
	return p
}

const sessionColumns = `s.id, s.user_id, s.hash, s.rev, s.cut, s.created, s.auth_time, s.idle_until, s.max_until, s.last_seen, s.method, s.ip, s.user_agent, s.ended, s.why`

func sessionFields(s *session.Session) []any {
	return []any{raw(s.ID[:]), raw(s.User[:]), raw(s.Hash[:]), &s.Rev, &s.Cut, at{&s.Created}, at{&s.AuthTime}, at{&s.IdleUntil}, at{&s.MaxUntil},
		at{&s.LastSeen}, &s.Method, &s.IP, &s.UserAgent, at{&s.Ended}, &s.Why}
}

func (v *view) sessions(text string, args ...any) (out []session.Session) {
	v.many(text, args, func(scan func(...any) error) error {
		var s session.Session
		err := scan(sessionFields(&s)...)
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
	return first(v.sessions(`select `+sessionColumns+` from sessions s where s.id = $1`, id[:]))
}

func (v *view) SessionByHash(hash [32]byte) session.Session {
	return first(v.sessions(`select `+sessionColumns+` from sessions s where s.hash = $1`, hash[:]))
}

func (v *view) Sessions(q session.Query) []session.Session {
	if q.User.IsZero() {
		return v.sessions(`select `+sessionColumns+` from sessions s order by s.id desc limit $1`, q.Limit)
	}
	if !q.Standing.IsZero() {
		return v.sessions(`select `+sessionColumns+` from sessions s join users u on u.id = s.user_id where s.user_id = $1 and s.ended = 0 and s.cut <= s.rev
			and u.cut <= s.rev and s.idle_until > $2 and s.max_until > $2 order by s.id desc limit $3`, q.User[:], micros(q.Standing), q.Limit)
	}
	return v.sessions(`select `+sessionColumns+` from sessions s where s.user_id = $1 order by s.id desc limit $2`, q.User[:], q.Limit)
}

const familyColumns = `f.id, f.client_id, f.session_id, f.user_id, f.key_tag, f.salt, f.generation, f.current, f.rev, f.scopes, f.created, f.rotated_at, f.idle_until, f.max_until, f.ended, f.consent_id, f.terms`

func familyFields(f *token.Family) []any {
	return []any{raw(f.ID[:]), &f.Client, raw(f.Session[:]), raw(f.User[:]), raw(f.KeyTag[:]), raw(f.Salt[:]), &f.Generation, raw(f.Current[:]), &f.Rev,
		list{&f.Scopes}, at{&f.Created}, at{&f.RotatedAt}, at{&f.IdleUntil}, at{&f.MaxUntil}, at{&f.Ended}, raw(f.Consent[:]), object{&f.Terms}}
}

func (v *view) Family(id token.FamilyID) (f token.Family) {
	if !v.one(`select `+familyColumns+` from families f where f.id = $1`, []any{id[:]}, familyFields(&f)...) {
		return token.Family{}
	}
	return f
}

func (v *view) Lineage(id token.FamilyID) (l token.Lineage) {
	fields := append(slices.Concat(familyFields(&l.Family), sessionFields(&l.Session), userFields(&l.User), clientFields(&l.Client)), &l.Granted)
	// A consent whose row is gone was taken back for good.
	if !v.one(`select `+familyColumns+`, `+sessionColumns+`, `+userColumns+`, `+clientColumns+`, case when f.consent_id = $2 then 0 else coalesce(g.cut, 9223372036854775807) end
		from families f join sessions s on s.id = f.session_id join users u on u.id = f.user_id join clients c on c.id = f.client_id
		left join consents g on g.id = f.consent_id where f.id = $1`, []any{id[:], make([]byte, len(l.Family.Consent))}, fields...) {
		return token.Lineage{}
	}
	v.sees(max(l.User.Cut, l.Client.Cut, l.Client.Trimmed))
	if l.Granted != math.MaxInt64 {
		v.sees(l.Granted)
	}
	return l
}

const clientColumns = `c.id, c.name, c.type, c.first_party, c.auth, c.secret_hash, c.redirect_uris, c.post_logout, c.origins, c.resources, c.scopes, c.grants, c.paused, c.cut, c.created, c.token_format, c.shared_alg, c.settings,
	c.guard, c.trimmed, c.deleted, c.secret_made, c.secret_used, c.former_hash, c.former_made, c.former_used, c.former_until`

func clientFields(c *client.Client) []any {
	return []any{&c.ID, &c.Name, &c.Type, flag{&c.FirstParty}, &c.Auth, raw(c.Secret.Hash[:]), list{&c.RedirectURIs}, list{&c.PostLogout}, list{&c.Origins},
		list{&c.Resources}, list{&c.Scopes}, list{&c.Grants}, flag{&c.Paused}, &c.Cut, at{&c.Created}, &c.TokenFormat, &c.SharedAlg, object{&c.Settings},
		&c.Guard, &c.Trimmed, at{&c.Deleted}, at{&c.Secret.Made}, at{&c.Secret.Used}, optional(c.Former.Hash[:]), at{&c.Former.Made}, at{&c.Former.Used}, at{&c.Former.Until}}
}

func (v *view) clients(text string, args ...any) (out []client.Client) {
	v.many(text, args, func(scan func(...any) error) error {
		var c client.Client
		err := scan(clientFields(&c)...)
		v.sees(max(c.Cut, c.Trimmed))
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
	return v.clients(`select ` + clientColumns + ` from clients c where c.deleted = 0 order by c.id`)
}

func (v *view) HasPages(origin string) (has bool) {
	v.one(`select 1 from client_pages p join clients c on c.id = p.client_id where p.origin = $1 and c.paused = 0 and c.deleted = 0 limit 1`, []any{origin}, flag{&has})
	return has
}

const secretColumns = `client_id, number, kid, alg, sealed, created`

func (v *view) secrets(text string, args ...any) (out []client.SharedSecret) {
	v.many(text, args, func(scan func(...any) error) error {
		var s client.SharedSecret
		err := scan(&s.Client, &s.Number, &s.KID, &s.Alg, &s.Sealed, at{&s.Created})
		out = append(out, s)
		return err
	})
	return out
}

func (v *view) Secrets(clientID string) []client.SharedSecret {
	return v.secrets(`select `+secretColumns+` from shared_secrets where client_id = $1 order by number`, clientID)
}

func (v *view) SecretOf(kid string) client.SharedSecret {
	return first(v.secrets(`select `+secretColumns+` from shared_secrets where kid = $1`, kid))
}

const consentColumns = `id, user_id, client_id, scopes, terms, rev, cut, created, changed`

func (v *view) consents(text string, args ...any) (out []client.Consent) {
	v.many(text, args, func(scan func(...any) error) error {
		var c client.Consent
		err := scan(raw(c.ID[:]), raw(c.User[:]), &c.Client, list{&c.Scopes}, object{&c.Terms}, &c.Rev, &c.Cut, at{&c.Created}, at{&c.Changed})
		v.sees(c.Cut)
		out = append(out, c)
		return err
	})
	return out
}

func (v *view) Consent(user identity.UserID, clientID string) client.Consent {
	return first(v.consents(`select `+consentColumns+` from consents where user_id = $1 and client_id = $2`, user[:], clientID))
}

func (v *view) Granted(id client.GrantID) client.Consent {
	return first(v.consents(`select `+consentColumns+` from consents where id = $1`, id[:]))
}

func (v *view) Consents(user identity.UserID) []client.Consent {
	return v.consents(`select `+consentColumns+` from consents where user_id = $1 and scopes <> ''
		and not exists (select 1 from clients c where c.id = consents.client_id and c.deleted > 0) order by changed desc, id`, user[:])
}

func (v *view) Federations(clientID string) (out []client.Federation) {
	v.many(`select id, client_id, issuer, rule, created from federations where client_id = $1 or $1 = '' order by client_id, created, id`, []any{clientID}, func(scan func(...any) error) error {
		var f client.Federation
		err := scan(raw(f.ID[:]), &f.Client, &f.Issuer, object{&f.Rule}, at{&f.Created})
		out = append(out, f)
		return err
	})
	return out
}

func (v *view) Outlived(before time.Time) bool {
	var n int
	return v.one(`select 1 from spent where until < $1 limit 1`, []any{micros(before)}, &n)
}

func (v *view) Spent(use token.Use, hash [32]byte) (s token.Spent) {
	if !v.one(`select hash, until, bought from spent where use = $1 and hash = $2`, []any{use, hash[:]}, raw(s.Hash[:]), at{&s.Until}, &s.Bought) {
		return token.Spent{}
	}
	return s
}

func (v *view) Pushed(hash [32]byte) (p token.Pushed) {
	if !v.one(`select hash, client_id, body, created, until from pushed where hash = $1`, []any{hash[:]}, raw(p.Hash[:]), &p.Client, &p.Body, at{&p.Created}, at{&p.Until}) {
		return token.Pushed{}
	}
	return p
}

func (v *view) Keys() (out []key.Key) {
	v.many(`select purpose, number, kid, alg, wrapped, sealed, public, created, since, compromised from keys order by purpose, number`, nil, func(scan func(...any) error) error {
		var k key.Key
		err := scan(&k.Purpose, &k.Number, &k.KID, &k.Alg, &k.Wrapped, &k.Sealed, &k.Public, at{&k.Created}, at{&k.Since}, at{&k.Compromised})
		// Nothing is one thing, on both engines.
		for _, b := range []*[]byte{&k.Wrapped, &k.Sealed, &k.Public} {
			if len(*b) == 0 {
				*b = nil
			}
		}
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
	v.many(`select seq, at, unit, name, not_before, until, audience from feed_events
		where seq > $1 and seq <= coalesce((select max(seq) from (select seq from feed_events where seq > $1 order by seq limit $2) as page), 0)
		order by seq, unit, name`, []any{int64(after), limit}, func(scan func(...any) error) error {
		var e revocation.Event
		var audience string
		err := scan(&e.Seq, at{&e.At}, &e.Name.Unit, &e.Name.ID, at{&e.NotBefore}, at{&e.Until}, &audience)
		e.Audience = lines(audience)
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

func (v *view) Budget(k [32]byte) (tat time.Time) {
	v.one(`select tat from budgets where key = $1`, []any{k[:]}, at{&tat})
	return tat
}

const onceColumns = `o.id, o.use, o.subject, o.user_id, o.link, o.code, o.browser, o.rev, o.tries, o.created, o.expires, o.spent, o.body`

func (v *view) once(where string, args ...any) (o token.Once) {
	if !v.one(`select `+onceColumns+` from once o where `+where, args, raw(o.ID[:]), &o.Use, raw(o.Subject[:]), raw(o.User[:]), raw(o.Link[:]), raw(o.Code[:]),
		raw(o.Browser[:]), &o.Rev, &o.Tries, at{&o.Created}, at{&o.Expires}, at{&o.Spent}, &o.Body) {
		return token.Once{}
	}
	return o
}

func (v *view) Once(id token.OnceID) token.Once { return v.once(`o.id = $1`, id[:]) }

func (v *view) OnceOf(use token.Use, subject [32]byte) token.Once {
	return v.once(`o.use = $1 and o.subject = $2`, use, subject[:])
}

func (v *view) OnceByLink(hash [32]byte) token.Once { return v.once(`o.link = $1`, hash[:]) }

func (v *view) Unsent() (n int) {
	v.one(`select count(*) from outbox`, nil, &n)
	return n
}

func (v *view) Outbox(due time.Time, limit int) (out []outbox.Waiting) {
	v.many(`select id, kind, user_id, created, due, expires, tries, sealed from outbox where due <= $1 order by due limit $2`, []any{micros(due), limit}, func(scan func(...any) error) error {
		var w outbox.Waiting
		err := scan(raw(w.ID[:]), &w.Kind, raw(w.User[:]), at{&w.Created}, at{&w.Due}, at{&w.Expires}, &w.Tries, &w.Sealed)
		out = append(out, w)
		return err
	})
	return out
}

const deviceColumns = `d.key, d.user_id, d.created, d.seen`

func (v *view) devices(text string, args ...any) (out []session.Device) {
	v.many(text, args, func(scan func(...any) error) error {
		var d session.Device
		err := scan(raw(d.Key[:]), raw(d.User[:]), at{&d.Created}, at{&d.Seen})
		out = append(out, d)
		return err
	})
	return out
}

func (v *view) Device(key [32]byte) session.Device {
	return first(v.devices(`select `+deviceColumns+` from devices d where d.key = $1`, key[:]))
}

func (v *view) Devices(user identity.UserID, limit int) []session.Device {
	return v.devices(`select `+deviceColumns+` from devices d where d.user_id = $1 order by d.seen, d.key limit $2`, user[:], limit)
}
