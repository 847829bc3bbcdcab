package manage

import (
	"context"
	"slices"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	declareDetails   = check.Declare(366, "details.declare", client.DetailsForm, client.DetailsRoom)
	undeclareDetails = check.Declare(367, "details.undeclare", client.DetailsFound)
)

// DeclareDetails says what authorization details of a type look like, from now
// on, and what they mean to people (RFC 9396).
func (m *Manage) DeclareDetails(ctx context.Context, by settle.Caller, t client.DetailType) (client.DetailType, error) {
	word, good := t.Valid()
	err := m.pipe.Run(ctx, declareDetails, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(client.DetailsForm, good, check.As(word)) {
			return nil
		}
		all := j.DetailTypes()
		known := slices.ContainsFunc(all, func(o client.DetailType) bool { return o.Name == t.Name })
		if !j.Hold(client.DetailsRoom, known || len(all) < client.DetailTypesAtMost, check.Count(len(all))) {
			return nil
		}
		t.Changed = j.Now
		return core.Unit{client.DeclareType(t)}
	}, nil)
	return t, err
}

// UndeclareDetails takes a type away.
func (m *Manage) UndeclareDetails(ctx context.Context, by settle.Caller, name string) error {
	return m.pipe.Run(ctx, undeclareDetails, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(client.DetailsFound, slices.ContainsFunc(j.DetailTypes(), func(o client.DetailType) bool { return o.Name == name })) {
			return nil
		}
		return core.Unit{client.UndeclareType{Name: name}}
	}, nil)
}

// DetailTypes lists the declared types, by name.
func (m *Manage) DetailTypes(ctx context.Context) ([]client.DetailType, error) {
	v := m.pipe.Store.View(ctx)
	return v.DetailTypes(), v.Err()
}
