package sql

import "github.com/doorward/doorward/internal/core/client"

func (v *view) initials(text string, args ...any) (out []client.Initial) {
	v.many(`select id, hash, uses, created, expires from initial_tokens `+text, args, func(scan func(...any) error) error {
		var i client.Initial
		err := scan(raw(i.ID[:]), raw(i.Hash[:]), &i.Uses, at{&i.Created}, at{&i.Expires})
		out = append(out, i)
		return err
	})
	return out
}

func (v *view) Initial(hash [32]byte) client.Initial {
	return first(v.initials(`where hash = $1`, hash[:]))
}

func (v *view) Initials() []client.Initial { return v.initials(`order by created desc, id`) }

func (v *view) Registration(clientID string) (hash [32]byte) {
	if !v.one(`select hash from registrations where client_id = $1`, []any{clientID}, raw(hash[:])) {
		return [32]byte{}
	}
	return hash
}
