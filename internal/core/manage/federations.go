package manage

import (
	"context"
	"slices"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	federate   = check.Declare(351, "federation.create", clientFound, client.FederationValid)
	unfederate = check.Declare(352, "federation.delete", client.FederationFound)
)

// Federate lets a machine trade the tokens of an issuer for its own. A rule
// that names no audience means this server.
func (m *Manage) Federate(ctx context.Context, by settle.Caller, f client.Federation) (client.Federation, error) {
	if len(f.Rule.Audiences) == 0 {
		f.Rule.Audiences = []string{m.policy.Issuer}
	}
	err := m.pipe.Run(ctx, federate, by, func(j *settle.Judgement) core.Unit {
		c := client.Client{}
		if client.ValidID(f.Client) {
			c = j.View.Client(f.Client)
		}
		if !j.Hold(clientFound, c.Exists()) {
			return nil
		}
		j.Client = c.ID
		word, good := f.Valid(c)
		if !j.Hold(client.FederationValid, good, check.As(word)) {
			return nil
		}
		f.ID, f.Created = client.NewGrantID(j.Now, secret.Random16()), j.Now
		return core.Unit{client.Federate(f)}
	}, nil)
	return f, err
}

// Unfederate takes a federation away, and what was got by it dies at once.
func (m *Manage) Unfederate(ctx context.Context, by settle.Caller, id client.GrantID) (f client.Federation, err error) {
	err = m.pipe.Run(ctx, unfederate, by, func(j *settle.Judgement) core.Unit {
		all := j.View.Federations("")
		i := slices.IndexFunc(all, func(f client.Federation) bool { return f.ID == id })
		if !j.Hold(client.FederationFound, i >= 0) {
			return nil
		}
		f = all[i]
		j.Client = f.Client
		return core.Unit{revocation.Next{}, client.Unfederate{ID: id}, m.event(revocation.Name{Unit: revocation.Grant, ID: id.String()}, j.Now)}
	}, nil)
	return f, err
}

// Federations lists whose tokens machines may trade.
func (m *Manage) Federations(ctx context.Context) ([]client.Federation, error) {
	v := m.pipe.Store.View(ctx)
	all := v.Federations("")
	return all, v.Err()
}
