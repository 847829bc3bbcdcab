package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
	sqlstore "github.com/doorward/doorward/internal/store/sql"
)

// few is how many people there are before a deployment grows.
const few = 1000

// growth measures one store twice: with a thousand people, and grown to as
// many people, sessions and refresh families as were asked for. Every refresh
// and every first read is of another row, spread over the whole of them.
func growth(s settings, c cores, top *ceiling, dir, store string, out *report) (err error) {
	ctx := context.Background()
	srv, durable, end, err := deploy(s, c, dir, store, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if _, err := srv.start(); err != nil {
		return err
	}
	all, a, err := populate(srv)
	if err != nil {
		return err
	}
	was := map[string]float64{}
	at := 0
	for _, n := range []int{few, s.growth} {
		name := fmt.Sprintf("%s, %s", store, short(n))
		if err := srv.stop(); err != nil {
			return err
		}
		out.progress("%s: growing", name)
		if err := fill(ctx, srv, at, n); err != nil {
			return err
		}
		at = n
		rooted, err := root(ctx, srv, a.page, n, spread(s))
		if err != nil {
			return err
		}
		began, err := srv.start()
		if err != nil {
			return err
		}
		in, err := srv.signInAll(all, 16)
		if err != nil {
			return err
		}
		run := append(ceilings(top),
			&workload{id: "W3", name: "refresh, another family each", of: "token", least: durable, addr: srv.listen, cost: srv.cost, client: refreshEach(srv, rooted)},
			&workload{id: "W4", name: "session by cookie, cached", of: "hello", least: 0.45, addr: srv.listen, cost: srv.cost, client: known(srv, in)},
			&workload{id: "W4m", name: "session by cookie, first read", of: "hello", least: 0.15, addr: srv.listen, cost: srv.cost, client: readEach(srv, rooted)})
		out.progress("%s: %d workloads", name, len(run))
		first := len(out.Rows)
		rows(s, name, run, out)
		for _, r := range out.Rows[first:] {
			if r.Of == "" {
				continue
			}
			if before, ok := was[r.ID]; ok {
				out.figure(store, fmt.Sprintf("%s at %s against %s, as ratios", r.ID, short(n), short(few)), 100*(r.Ratio/before-1), "%", "at least -20")
			}
			was[r.ID] = r.Ratio
		}
		if err := revocations(ctx, s, srv, srv, name, a, all, out); err != nil {
			return err
		}
		disk, err := size(ctx, srv.database)
		if err != nil {
			return err
		}
		out.figure(name, "start to ready", milliseconds(began), "ms", "at most 100")
		out.figure(name, "memory", float64(srv.cost().memory)/(1<<20), "MiB", "")
		out.figure(name, "database", float64(disk)/1e6, "MB", "")
	}
	return nil
}

func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%d M", n/1_000_000)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%d k", n/1000)
	}
	return fmt.Sprint(n)
}

// spread is how many rows there must be so that none is asked for twice, at
// fifteen thousand a second.
func spread(s settings) int { return int(s.round.Seconds()*15_000) * (s.rounds + 1) }

// The rows that fill a database have identifiers that are computed, in the
// order of time as real ones are: 48 bits of milliseconds, then a number.
const (
	firstMilli = 1_760_000_000_000
	apart      = 2500 // milliseconds between two: a million in a month
)

func numbered(i int) (id [16]byte) {
	ms := uint64(firstMilli + i*apart)
	for b := range 6 {
		id[b] = byte(ms >> (40 - 8*b))
	}
	for b := range 8 {
		id[8+b] = byte(uint64(i) >> (56 - 8*b))
	}
	return id
}

// filling are the statements of each engine, for the numbers from $1 up to $2:
// far faster than as many units, and what is measured comes afterwards.
var filling = map[string][]string{
	"sqlite": {
		`insert into users (id, email, address, name, verified, state, guard, cut, created)
			with recursive n(i) as (select ?1 union all select i + 1 from n where i + 1 < ?2)
			select unhex(printf('%012x%04x%016x', 1760000000000 + i * 2500, 0, i)), 'p' || i || '@example.com', 'p' || i || '@example.com', 'Person ' || i, 1, 1, 0, 0, i from n`,
		`insert into passwords (user_id, phc, version, changed, used)
			select id, '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b0dWRWJTmaaJObGAAAAAAAAAAA', 1, created, 0 from users where created >= ?1 and created < ?2 and address like 'p%@example.com'`,
		`insert into sessions (id, user_id, hash, rev, cut, created, auth_time, idle_until, max_until, last_seen, method, ip, user_agent, ended, why)
			select id, id, randomblob(32), 1 << 40, 0, created, created, 1 << 60, 1 << 60, created, 'password', '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0, 0
			from users where created >= ?1 and created < ?2 and address like 'p%@example.com'`,
		`insert into families (id, client_id, session_id, user_id, key_tag, salt, generation, current, rev, scopes, created, rotated_at, idle_until, max_until, ended)
			select id, 'doorward', id, id, randomblob(4), randomblob(16), 3, randomblob(32), 1 << 40, 'account', created, created, 1 << 60, 1 << 60, 0
			from users where created >= ?1 and created < ?2 and address like 'p%@example.com'`,
	},
	"pgx": {
		`insert into users (id, email, address, name, verified, state, guard, cut, created)
			select decode(lpad(to_hex(1760000000000 + i * 2500), 12, '0') || '0000' || lpad(to_hex(i), 16, '0'), 'hex'), 'p' || i || '@example.com', 'p' || i || '@example.com', 'Person ' || i, 1, 1, 0, 0, i
			from generate_series($1::bigint, $2::bigint - 1) i`,
		`insert into passwords (user_id, phc, version, changed, used)
			select id, '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b0dWRWJTmaaJObGAAAAAAAAAAA', 1, created, 0 from users where created >= $1 and created < $2 and address like 'p%@example.com'`,
		`insert into sessions (id, user_id, hash, rev, cut, created, auth_time, idle_until, max_until, last_seen, method, ip, user_agent, ended, why)
			select id, id, sha256(address::bytea), 1::bigint << 40, 0, created, created, 1::bigint << 60, 1::bigint << 60, created, 'password', '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0, 0
			from users where created >= $1 and created < $2 and address like 'p%@example.com'`,
		`insert into families (id, client_id, session_id, user_id, key_tag, salt, generation, current, rev, scopes, created, rotated_at, idle_until, max_until, ended)
			select id, 'doorward', id, id, substr(sha256(id), 1, 4), substr(sha256(id), 1, 16), 3, sha256(id), 1::bigint << 40, 'account', created, created, 1::bigint << 60, 1::bigint << 60, 0
			from users where created >= $1 and created < $2 and address like 'p%@example.com'`,
		`vacuum analyze`,
	},
}

// fill adds the people, sessions and families of the numbers from..to to the
// database of a server that is not running.
func fill(ctx context.Context, s *server, from, to int) error {
	driver, name := "pgx", s.database
	if path, ok := strings.CutPrefix(s.database, "sqlite://"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=synchronous(0)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return err
	}
	defer db.Close()
	// The created instants of users stand for their numbers meanwhile; zero is
	// never, so they begin at one.
	for _, text := range filling[driver] {
		args := []any{from + 1, to + 1}
		if !strings.HasPrefix(text, "insert") {
			args = nil
		}
		if _, err := db.ExecContext(ctx, text, args...); err != nil {
			return fmt.Errorf("fill: %w in %.60s", err, text)
		}
	}
	return nil
}

// A rooting is a session with a refresh family, whose tokens are known.
type rooting struct {
	seed
	refresh string
}

// root adds n sessions with families of people who are spread over the first
// so many numbers.
func root(ctx context.Context, s *server, page string, people, n int) ([]rooting, error) {
	store, err := sqlstore.Open(ctx, s.database, func(err error) { panic(err) })
	if err != nil {
		return nil, err
	}
	defer store.Close()
	text, err := os.ReadFile(s.kek)
	if err != nil {
		return nil, err
	}
	kek, _ := secret.Decode(strings.TrimSpace(string(text)))
	sealer, err := secret.NewSealer(kek)
	if err != nil {
		return nil, err
	}
	v := store.View(ctx)
	ring, err := key.Open(ctx, v.Keys(), sealer, key.Policy{}, time.Now())
	if err != nil {
		return nil, errors.Join(err, v.Err())
	}
	k := ring.Refresh[len(ring.Refresh)-1]
	now, rev := time.Now(), v.Head()
	out := make([]rooting, n)
	const together = 200
	for from := 0; from < n; from += together {
		var unit core.Unit
		for i := from; i < min(n, from+together); i++ {
			u := 1 + rand.IntN(people)
			began := now.Add(-time.Duration(rand.Int64N(int64(13 * 24 * time.Hour))))
			one := seed{secret: secret.Random(), person: &person{Email: fmt.Sprintf("p%d@example.com", u)}}
			id, family := session.NewID(began, secret.Random16()), token.NewFamilyID(began, secret.Random16())
			wire, current := token.First(k, family, secret.Random())
			out[i] = rooting{one, wire}
			unit = append(unit, session.Start{ID: id, User: identity.UserID(numbered(u)), Hash: session.HashOf(one.secret[:]), Rev: rev, Created: began, AuthTime: now,
				IdleUntil: now.AddDate(0, 0, 14), MaxUntil: now.AddDate(0, 0, 30), Method: "password", IP: "203.0.113.7",
				UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
				token.Open{ID: family, Client: page, Session: id, User: identity.UserID(numbered(u)), KeyTag: k.Tag, Salt: secret.Random16(), Current: current, Rev: rev,
					Scopes: []string{"account"}, Created: began, IdleUntil: now.AddDate(0, 0, 15), MaxUntil: now.AddDate(0, 0, 90)})
		}
		if _, err := store.Commit(ctx, unit); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// refreshEach spends the first refresh token of another family each time.
func refreshEach(s *server, all []rooting) func(int) step {
	var next atomic.Int64
	return func(int) step {
		return func(c *conn) error {
			i := int(next.Add(1)) - 1
			if i >= len(all) {
				return errDry
			}
			b := all[i]
			if err := c.do(request("POST", s.host(), "/session/refresh", "", "Origin: "+s.issuer, "Cookie: doorward_refresh="+b.refresh)); err != nil {
				return err
			}
			return signedInAnswer(c, 200, *b.person)
		}
	}
}

// readEach reads another session each time, from the other end.
func readEach(s *server, all []rooting) func(int) step {
	seeds := make([]seed, len(all))
	for i, r := range all {
		seeds[len(all)-1-i] = r.seed
	}
	return unknown(s, seeds)
}
