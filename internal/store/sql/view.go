package sql

import (
	"context"
	"database/sql"
	"errors"
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

// context is what a read runs under. A cancellable context costs a SQLite
// point read as much again as the read itself, and the read is over in
// microseconds, so there only the start is asked.
func (v *view) context() context.Context {
	if v.s.dialect.name == "sqlite" {
		return context.Background()
	}
	return v.ctx
}

// asks says whether there is still something to ask and somebody who waits.
func (v *view) asks() bool {
	v.fail(v.ctx.Err())
	return v.err == nil
}

// one reads at most one row into dest and says whether there was one.
func (v *view) one(text string, args []any, dest ...any) bool {
	if !v.asks() {
		return false
	}
	st, err := v.s.statement(v.context(), text)
	if err != nil {
		v.fail(err)
		return false
	}
	err = st.QueryRowContext(v.context(), args...).Scan(dest...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		v.fail(err)
	}
	return err == nil
}

// many reads rows, calling scan for each.
func (v *view) many(text string, args []any, scan func(func(dest ...any) error) error) {
	if !v.asks() {
		return
	}
	st, err := v.s.statement(v.context(), text)
	if err != nil {
		v.fail(err)
		return
	}
	rows, err := st.QueryContext(v.context(), args...)
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
