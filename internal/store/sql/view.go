package sql

import (
	"context"
	"fmt"

	"github.com/doorward/doorward/internal/core"
)

// view reads on the primary, each read by itself: nothing rests on an
// isolation level, since every unit conditions on what it was judged on.
type view struct {
	s   *Store
	ctx context.Context
	err error
	cut uint64
}

// View opens a view; see core.Store.
func (s *Store) View(ctx context.Context) core.View { return &view{s: s, ctx: ctx} }

func (v *view) Err() error  { return v.err }
func (v *view) Cut() uint64 { return v.cut }

func (v *view) fail(err error) {
	if v.err == nil && err != nil {
		v.err = fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
}

func (v *view) sees(cut uint64) { v.cut = max(v.cut, cut) }

// asks says whether there is still something to ask and somebody who waits.
func (v *view) asks() bool {
	v.fail(v.ctx.Err())
	return v.err == nil
}

// one reads at most one row into dest and says whether there was one.
func (v *view) one(text string, args []any, dest ...any) (found bool) {
	v.many(text, args, func(scan func(...any) error) error {
		found = true
		return scan(dest...)
	})
	return found && v.err == nil
}

// many reads rows, calling scan for each.
func (v *view) many(text string, args []any, scan func(func(dest ...any) error) error) {
	if !v.asks() {
		return
	}
	rows, err := v.s.reads.query(v.ctx, text, args)
	if err != nil {
		v.fail(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			v.fail(err)
			return
		}
	}
	v.fail(rows.Err())
}
