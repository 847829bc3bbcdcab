package settle_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
	sqlstore "github.com/doorward/doorward/internal/store/sql"
	"github.com/doorward/doorward/internal/store/storetest/postgres"
)

func TestMain(m *testing.M) { postgres.Main(m) }

// An exchange of the tests' own.
var (
	first = check.New(check.Check{Number: 60001, ID: "test.first", Says: "The first thing holds.", Title: "The first thing.", Fault: fault.Denied})
	other = check.New(check.Check{Number: 60002, ID: "test.other", Says: "The other thing holds.", Title: "The other thing.", Fault: fault.Slow})
	trade = check.Declare(60001, "test.trade", first, other)
	often = check.Declare(60002, "test.often", first).Often()
)

var ana = identity.UserID{1}

// A rig is a pipeline on a store, with a clock of the test's own.
type rig struct {
	*settle.Pipeline
	store   *sqlstore.Store
	spy     *spy
	close   func() error
	mu      sync.Mutex
	at      time.Time
	tallied []ledger.Tally
	alarms  []error
}

func onEach(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			address := "sqlite://" + filepath.Join(t.TempDir(), "doorward.db")
			if engine == "postgres" {
				address = postgres.Start(t)
			}
			s, err := sqlstore.Open(t.Context(), address, func(err error) { panic(err) })
			if err != nil {
				t.Fatal(err)
			}
			once := sync.OnceValue(s.Close)
			t.Cleanup(func() { once() })
			r := &rig{store: s, close: once, spy: &spy{Store: s}, at: time.Date(2026, 11, 22, 9, 0, 0, 123456789, time.UTC)}
			feed := revocation.NewLog()
			r.Pipeline = &settle.Pipeline{Store: r.spy, Feed: feed, Now: r.now, Follow: settle.NewFollower(s, feed, r.now),
				Tally: func(x ledger.Tally) { r.tallied = append(r.tallied, x) },
				Alarm: func(err error) { r.alarms = append(r.alarms, err) }}
			r.commit(t, core.Unit{identity.Create{ID: ana, Address: "ana@example.com"}})
			if err := r.Follow.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, r)
		})
	}
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *rig) add(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
}

// commit commits past the pipeline, as another node does.
func (r *rig) commit(t *testing.T, u core.Unit) core.Receipt {
	t.Helper()
	receipt, err := r.store.Commit(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// entries are what the ledger holds of ana.
func (r *rig) entries(t *testing.T) []ledger.Entry {
	t.Helper()
	v := r.store.View(t.Context())
	out := v.EntriesOf(ana, 10000)
	if err := v.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (r *rig) user(t *testing.T) identity.User {
	t.Helper()
	v := r.store.View(t.Context())
	u := v.User(ana)
	if err := v.Err(); err != nil {
		t.Fatal(err)
	}
	return u
}

// cut ends everything of ana at the next position.
func cut(u identity.User, now time.Time) core.Unit {
	return core.Unit{revocation.Next{}, identity.Cut{ID: u.ID, Guard: u.Guard},
		revocation.Of(revocation.Name{Unit: revocation.User, ID: u.ID.String()}, now, 5*time.Minute, 0)}
}

var by = settle.Caller{Addr: netip.MustParseAddr("192.0.2.1"), UserAgent: "agent"}

// A spy counts commits, and fails those that its test wants to fail.
type spy struct {
	core.Store
	commits int
	before  func(u core.Unit) error
}

func (s *spy) Commit(ctx context.Context, u core.Unit) (core.Receipt, error) {
	s.commits++
	if s.before != nil {
		if err := s.before(u); err != nil {
			return core.Receipt{}, err
		}
	}
	return s.Store.Commit(ctx, u)
}

func refused(t *testing.T, err error, id string) *check.Refusal {
	t.Helper()
	var r *check.Refusal
	if !errors.As(err, &r) || r.Check().ID != id {
		t.Fatalf("%v, want the refusal of %s", err, id)
	}
	return r
}
