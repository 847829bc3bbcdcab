package sql_test

import (
	"context"
	"errors"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/store/sql"
	"github.com/doorward/doorward/internal/store/storetest"
	"github.com/doorward/doorward/internal/store/storetest/postgres"
)

func TestMain(m *testing.M) {
	if job, ok := jobs[os.Getenv(jobMark)]; ok {
		job(os.Getenv(jobAddress))
		return
	}
	postgres.Main(m)
}

// An engine gives each test an address of an empty database.
type engine struct {
	name    string
	address func(t *testing.T) string
}

var engines = []engine{
	{"sqlite", func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "doorward.db") }},
	{"postgres", func(t *testing.T) string { return postgres.Start(t) }},
}

// onEach runs a test on an empty database of each engine.
func onEach(t *testing.T, test func(t *testing.T, address string)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e.address(t)) })
	}
}

func open(t *testing.T, address string) *sql.Store {
	t.Helper()
	s, err := sql.Open(t.Context(), address, func(err error) { panic(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func contract(t *testing.T, e engine) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) core.Store { return open(t, e.address(t)) })
	t.Run("PositionsOfTwo", func(t *testing.T) {
		address := e.address(t)
		storetest.Positions(t, open(t, address), open(t, address), open(t, address))
	})
}

func TestSQLite(t *testing.T) { contract(t, engines[0]) }

func TestPostgreSQL(t *testing.T) {
	contract(t, engines[1])
	t.Run("SignInRacesOfTwo", func(t *testing.T) {
		address := postgres.Start(t)
		storetest.SignInRaces(t, open(t, address), open(t, address))
	})
}

func TestEveryKindHasItsLine(t *testing.T) { storetest.Complete(t, sql.Kinds()) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func must(t *testing.T, s core.Store, u core.Unit) {
	t.Helper()
	if _, err := s.Commit(t.Context(), u); err != nil {
		t.Fatal(err)
	}
}

// What no view shows is looked up in the tables.
func TestWhatNoViewShowsIsKept(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, address string) {
		s := open(t, address)
		ana := identity.UserID{1}
		tally := ledger.Tally{Minute: noon, Exchange: 3, Check: math.MaxUint16, Network: "192.0.2.0/24", Count: 2}
		elsewhere := tally
		elsewhere.Network = "198.51.100.0/24"
		must(t, s, core.Unit{identity.Create{ID: ana}, factor.Enrol{User: ana, PHC: "x"}})
		must(t, s, core.Unit{factor.Use{User: ana, Version: 1, At: noon}, tally, elsewhere,
			ledger.Keep{ID: ledger.ID{7}, At: noon, Salt: [16]byte{8}, Body: []byte(`{"ip":"192.0.2.7"}`)}})
		must(t, s, core.Unit{tally})
		for text, want := range map[string]int64{
			`select used from passwords`: noon.UnixMicro(),
			`select count from ledger_tally where network = '192.0.2.0/24' and check_number = 65535`: 4,
			`select count from ledger_tally where network = '198.51.100.0/24'`:                       2,
			`select at from ledger_private`:                                                          noon.UnixMicro(),
			`select length(body) from ledger_private`:                                                18,
		} {
			var got int64
			if err := s.Ask(t.Context(), text, &got); err != nil || got != want {
				t.Errorf("%s: %d (%v), want %d", text, got, err, want)
			}
		}
	})
}

func TestTheLastGenerationIsRead(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, address string) {
		s := open(t, address)
		id := token.FamilyID{3}
		must(t, s, core.Unit{identity.Create{ID: identity.UserID{1}}, session.Start{ID: session.ID{2}, User: identity.UserID{1}}, token.Open{ID: id, Session: session.ID{2}}})
		if err := s.Raw(t.Context(), `update families set generation = 4294967294`); err != nil {
			t.Fatal(err)
		}
		must(t, s, core.Unit{token.Advance{ID: id, From: math.MaxUint32 - 1}})
		v := s.View(t.Context())
		if f := v.Family(id); f.Generation != math.MaxUint32 || v.Err() != nil {
			t.Errorf("generation %d, %v", f.Generation, v.Err())
		}
	})
}

func TestAClosedStoreAnswersNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, address string) {
		s, err := sql.Open(t.Context(), address, func(err error) { panic(err) })
		if err != nil {
			t.Fatal(err)
		}
		must(t, s, core.Unit{identity.Create{ID: identity.UserID{1}, Created: noon}})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		storetest.Unanswered(t, s, t.Context())
	})
}

// A database that is dropped under a running node is as gone as a stopped one.
func TestAStoppedPostgreSQLAnswersNothing(t *testing.T) {
	t.Parallel()
	address := postgres.Start(t)
	s := open(t, address)
	must(t, s, core.Unit{identity.Create{ID: identity.UserID{1}, Created: noon}})
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := at.Path[1:]
	at.Path = "/postgres"
	admin := connect(t, at.String())
	for _, text := range []string{
		"alter database " + name + " with allow_connections false",
		"select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name + "'",
	} {
		if _, err := admin.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Unanswered(t, s, t.Context())
}

func TestAReaderWhoLeavesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, address string) {
		s := open(t, address)
		must(t, s, core.Unit{identity.Create{ID: identity.UserID{1}, Created: noon}})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		storetest.Unanswered(t, s, gone)
		if _, err := s.Commit(t.Context(), core.Unit{identity.Cut{ID: identity.UserID{1}}}); err != nil {
			var lost *core.Lost
			t.Errorf("the store did not survive a reader who left: %v (lost: %v)", err, errors.As(err, &lost))
		}
	})
}
