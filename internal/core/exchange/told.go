package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/core/ledger"
)

// toldAtMost bounds how many exchanges one answer lists.
const toldAtMost = 500

// Exchanges lists what the ledger holds of the caller's own session, the
// newest last.
func (x *Exchanges) Exchanges(ctx context.Context, who Who) ([]ledger.Entry, error) {
	v := x.pipe.Store.View(ctx)
	entries := v.EntriesOf(who.Session.ID, toldAtMost)
	return entries, v.Err()
}
