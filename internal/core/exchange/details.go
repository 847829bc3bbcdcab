package exchange

import (
	"context"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core/client"
)

// Spoken are authorization details in the sentences of their types.
func (x *Exchanges) Spoken(ctx context.Context, details []client.Detail) ([]string, error) {
	v := x.pipe.Store.View(ctx)
	types := v.DetailTypes()
	out := make([]string, len(details))
	for i, d := range details {
		if at := slices.IndexFunc(types, func(t client.DetailType) bool { return t.Name == d.Type }); at >= 0 {
			out[i] = types[at].Sentence(d)
		}
	}
	return out, v.Err()
}

// DetailTypes are the names of the declared types; none while they cannot be
// read.
func (x *Exchanges) DetailTypes() []string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var out []string
	for _, t := range x.pipe.Store.View(ctx).DetailTypes() {
		out = append(out, t.Name)
	}
	return out
}
