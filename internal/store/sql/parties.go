package sql

import (
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

func (v *view) parties(text string, args ...any) (out []session.Party) {
	v.many(`select p.session_id, p.client_id, p.user_id, p.at from parties p `+text, args, func(scan func(...any) error) error {
		var p session.Party
		err := scan(raw(p.Session[:]), &p.Client, raw(p.User[:]), at{&p.At})
		out = append(out, p)
		return err
	})
	return out
}

// partiesOver picks those whose session ended, or whose person's sessions did.
const partiesOver = `left join sessions s on s.id = p.session_id left join users u on u.id = p.user_id
	where (s.id is null or s.ended <> 0 or s.cut > s.rev or u.cut > s.rev or u.state <> 1)`

func (v *view) Parties(id session.ID) []session.Party {
	return v.parties(`where p.session_id = $1 order by p.client_id`, id[:])
}

func (v *view) PartiesOf(user identity.UserID, limit int) []session.Party {
	return v.parties(partiesOver+` and p.user_id = $1 order by p.session_id, p.client_id limit $2`, user[:], limit)
}

func (v *view) PartiesOver(limit int) []session.Party {
	return v.parties(partiesOver+` order by p.at, p.session_id, p.client_id limit $1`, limit)
}
