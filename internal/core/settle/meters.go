package settle

import (
	"context"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/risk"
)

// debtsAtOnce is how many budgets one unit pays.
const debtsAtOnce = 256

// Share pays what this node spent of the budgets that all nodes share, and
// learns what the others have spent of them.
func Share(ctx context.Context, s core.Store, m *risk.Meters, now time.Time) error {
	debts := m.Debts()
	for i, chunk := range slices.Collect(slices.Chunk(debts, debtsAtOnce)) {
		u := make(core.Unit, len(chunk))
		for j, d := range chunk {
			u[j] = d.Pay(now)
		}
		if _, err := s.Commit(ctx, u); err != nil {
			for _, d := range debts[i*debtsAtOnce:] {
				m.Unpaid(d)
			}
			return err
		}
		v := s.View(ctx)
		for _, d := range chunk {
			if tat := v.Budget(d.Key()); v.Err() == nil {
				m.Learn(d, tat, now)
			}
		}
		if err := v.Err(); err != nil {
			return err // paid; learned with the next payment
		}
	}
	return nil
}
