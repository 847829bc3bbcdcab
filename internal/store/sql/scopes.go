package sql

import "github.com/doorward/doorward/internal/core/client"

func (v *view) Scopes() (out []client.Scope) {
	v.many(`select name, says, optional, changed from scopes order by name`, nil, func(scan func(...any) error) error {
		var s client.Scope
		err := scan(&s.Name, &s.Says, flag{&s.Optional}, at{&s.Changed})
		out = append(out, s)
		return err
	})
	return out
}
