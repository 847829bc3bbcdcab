// Package core is the contract between what Doorward believes and where it is
// kept: a view to judge on, a unit of conditional writes to commit, and what
// comes of it. It knows nothing of SQL, HTTP or clocks.
package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// A View is durable state as a judgement reads it, from the primary. A row
// that is not there is a zero value that does not exist; a read that failed
// is one too, and Err says so afterwards: nothing judged on a view whose Err
// is not nil may count.
type View interface {
	deployment.Reader
	identity.Reader
	factor.Reader
	session.Reader
	client.Reader
	token.Reader
	key.Reader
	revocation.Reader
	risk.Reader
	ledger.Reader
	job.Reader
	outbox.Reader
	// Err is the first error of any read on this view.
	Err() error
	// Cut is the highest position at which anything read here lost trust. A
	// judgement stamped below it was made by a node that is behind.
	Cut() uint64
}

// A Write is one conditional change, a value declared beside the noun it
// belongs to. The store holds its text, its place in the order of locks and
// the number of rows it must change.
type Write interface {
	// Changes names the table.
	Changes() string
}

// A Unit is applied whole or not at all. It is data: no code of ours runs
// inside a transaction, so repeating one is always safe.
type Unit []Write

// A Receipt says what came of a unit.
type Receipt struct {
	// Seq is the feed position that a unit with revocation.Next took.
	Seq uint64
}

// Lost says that a write found other rows than its unit was judged on, and
// nothing was changed. Judge again.
type Lost struct{ Write Write }

func (l *Lost) Error() string { return fmt.Sprintf("core: %T lost", l.Write) }

// ErrUnavailable says that the store could not be asked, or did not answer
// whether a unit was committed. It never means no.
var ErrUnavailable = errors.New("core: the store is unavailable")

// A Store keeps state.
type Store interface {
	// View opens a view. Reads stop when ctx does.
	View(ctx context.Context) View
	// Commit applies a unit whole, or returns *Lost, or an error that wraps
	// ErrUnavailable. The end of ctx ends the waiting, never the unit.
	Commit(ctx context.Context, u Unit) (Receipt, error)
}
