package manage

import (
	"context"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	describeScope   = check.Declare(325, "scope.describe", client.ScopeForm, client.ScopeRoom)
	undescribeScope = check.Declare(326, "scope.undescribe", client.ScopeFound)
)

// DescribeScope says what a permission means to people, from now on.
func (m *Manage) DescribeScope(ctx context.Context, by settle.Caller, s client.Scope) (client.Scope, error) {
	err := m.pipe.Run(ctx, describeScope, by, func(j *settle.Judgement) core.Unit {
		word, good := s.Valid()
		if !j.Hold(client.ScopeForm, good, check.As(word)) {
			return nil
		}
		all := j.Scopes()
		known := slices.ContainsFunc(all, func(o client.Scope) bool { return o.Name == s.Name })
		if !j.Hold(client.ScopeRoom, known || len(all) < client.ScopesAtMost, check.Count(len(all))) {
			return nil
		}
		s.Changed = j.Now
		return core.Unit{client.Describe(s)}
	}, nil)
	return s, err
}

// UndescribeScope takes an operator's words for a permission away.
func (m *Manage) UndescribeScope(ctx context.Context, by settle.Caller, name string) error {
	return m.pipe.Run(ctx, undescribeScope, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(client.ScopeFound, slices.ContainsFunc(j.Scopes(), func(o client.Scope) bool { return o.Name == name })) {
			return nil
		}
		return core.Unit{client.Undescribe{Name: name}}
	}, nil)
}

// A UsedScope is a permission and the applications that may ask for it.
type UsedScope struct {
	client.Scope
	Clients []string
}

// Scopes lists every permission that is described or that an application may
// ask for, by name.
func (m *Manage) Scopes(ctx context.Context) ([]UsedScope, error) {
	v := m.pipe.Store.View(ctx)
	at := map[string]*UsedScope{}
	for _, s := range v.Scopes() {
		at[s.Name] = &UsedScope{Scope: s}
	}
	for _, c := range v.Clients() {
		for _, name := range c.Scopes {
			if at[name] == nil {
				at[name] = &UsedScope{Scope: client.Scope{Name: name}}
			}
			at[name].Clients = append(at[name].Clients, c.ID)
		}
	}
	out := make([]UsedScope, 0, len(at))
	for _, s := range at {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b UsedScope) int { return strings.Compare(a.Name, b.Name) })
	return out, v.Err()
}
