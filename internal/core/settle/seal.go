package settle

import (
	"context"
	"crypto/ed25519"
	"errors"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
)

// Seal chains what a ledger holds open into one signed segment, and says how
// many entries that were. Of two sealers one wins; the other finds nothing.
func (p *Pipeline) Seal(ctx context.Context, chain ledger.Chain, k ed25519.PrivateKey) (int, error) {
	v := p.Store.View(ctx)
	last := v.LastSegment(chain)
	open := v.OpenEntries(chain, ledger.SealAtMost)
	if err := v.Err(); err != nil || len(open) == 0 {
		return 0, err
	}
	segment, err := ledger.Seal(last, chain, open, k)
	if err != nil {
		return 0, err
	}
	unit := core.Unit{segment}
	drop := ledger.Drop{IDs: make([]ledger.ID, len(open))}
	indexed := map[[16]byte]bool{}
	for i, r := range open {
		drop.IDs[i] = r.ID
		e, err := ledger.Unpack(r.Body)
		if err != nil {
			return 0, err
		}
		for _, s := range e.Subjects() {
			if !indexed[s] {
				indexed[s] = true
				unit = append(unit, ledger.Index{Subject: s, Chain: chain, Number: segment.Number})
			}
		}
	}
	_, err = p.Store.Commit(ctx, append(unit, drop))
	var lost *core.Lost
	if errors.As(err, &lost) {
		return 0, nil
	}
	return len(open), err
}
