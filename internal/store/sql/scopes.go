package sql

import (
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
)

func (v *view) DetailTypes() (out []client.DetailType) {
	v.many(`select name, schema, says, changed from detail_types order by name`, nil, func(scan func(...any) error) error {
		var t client.DetailType
		err := scan(&t.Name, &t.Schema, &t.Says, at{&t.Changed})
		out = append(out, t)
		return err
	})
	return out
}

func (v *view) Scopes() (out []client.Scope) {
	v.many(`select name, says, optional, changed from scopes order by name`, nil, func(scan func(...any) error) error {
		var s client.Scope
		err := scan(&s.Name, &s.Says, flag{&s.Optional}, at{&s.Changed})
		out = append(out, s)
		return err
	})
	return out
}

func (v *view) GrantUses(user identity.UserID) map[client.GrantID]time.Time {
	out := map[client.GrantID]time.Time{}
	v.many(`select f.consent_id, max(f.rotated_at) from consents c join families f on f.consent_id = c.id and f.ended = 0 where c.user_id = $1 group by f.consent_id`, []any{user[:]},
		func(scan func(...any) error) error {
			var i client.GrantID
			var t time.Time
			err := scan(raw(i[:]), at{&t})
			out[i] = t
			return err
		})
	return out
}
