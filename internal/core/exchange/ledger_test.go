package exchange_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/token"
)

// A life is one session's, told by what each exchange of it must leave in the
// ledger, and every secret that was in anybody's hand.
type life struct {
	tokens  exchange.Tokens
	story   []string // of the session, in order
	entries int      // of everybody
	secrets []string
}

// life lives it, a second for each step.
func (r *rig) life() *life {
	r.t.Helper()
	r.apps()
	l := &life{entries: 1, secrets: []string{password, "a wrong password", "typed into the address", appSecret, "a guessed client secret"}} // the apps' registration
	p, q := r.person(), r.person()
	ctx, t := r.t.Context(), r.t.(*testing.T)
	step := func(of, end string, err error) {
		t.Helper()
		want := end
		if end == "" {
			want = "passed"
		}
		if got := named(err); got != want {
			t.Fatalf("%s: %s, want %s", of, got, want)
		}
		l.story = append(l.story, strings.TrimSpace(of+" "+end))
		l.entries++
		r.clock.add(time.Second)
	}
	keep := func(x exchange.Tokens) exchange.Tokens {
		l.secrets = append(l.secrets, x.Cookie, x.Refresh, x.Access)
		return x
	}
	in, err := r.Password(ctx, home, exchange.PasswordInput{Email: p.email, Password: password, Origin: notesOrigin})
	step("signin.password", "", err)
	l.tokens = keep(in)
	next, err := r.Refresh(ctx, home, exchange.RefreshInput{Token: in.Refresh, Origin: notesOrigin})
	step("refresh", "", err)
	keep(next)
	more, err := r.Resume(ctx, home, in.Cookie, "")
	step("signin.continue", "", err)
	keep(more)
	_, err = r.StepUp(ctx, home, in.Cookie, "a wrong password")
	step("stepup.password", "password.fits", err)
	cookie, err := r.StepUp(ctx, home, in.Cookie, password)
	step("stepup.password", "", err)
	keep(exchange.Tokens{Cookie: cookie})
	by := exchange.Credential{Cookie: cookie}
	step("session.end", "session.own", r.End(ctx, home, by, keep(r.seat(q)).Session.ID))
	step("session.end", "", r.End(ctx, home, by, keep(r.seat(p)).Session.ID))
	_, err = r.EndOthers(ctx, home, by, false)
	step("session.end_others", "", err)
	last, err := r.Refresh(ctx, home, exchange.RefreshInput{Token: next.Refresh, Origin: notesOrigin})
	step("refresh", "", err)
	keep(last)
	_, err = r.Refresh(ctx, home, exchange.RefreshInput{Token: in.Refresh})
	step("refresh", "refresh.unspent", err)
	_, err = r.Refresh(ctx, home, exchange.RefreshInput{Token: last.Refresh})
	step("refresh", "refresh.alive", err)
	_, err = r.SignOut(ctx, home, by)
	step("signout", "", err)

	// What others did is not of this session.
	for i, x := range []struct{ email, pw, want string }{
		{q.email, "a wrong password", "password.fits"}, {"typed into the address", "x", "user.known"}, {"nobody@example.com", "x", "user.known"}} {
		_, err := r.Password(ctx, elsewhere(i), exchange.PasswordInput{Email: x.email, Password: x.pw})
		refused(t, err, x.want)
	}
	_, err = r.Introspect(ctx, home, exchange.ClientProof{ID: "notes", Secret: "a guessed client secret"}, last.Access)
	refused(t, err, "client.authentic")
	if _, err = r.Introspect(ctx, home, proof("notes"), last.Access); err != nil {
		t.Fatal(err)
	}
	r.pause(t, q)
	l.entries += 3 // the known person's refusal, the known client's, the pause
	return l
}

func told(entries []ledger.Entry) (out []string) {
	for _, e := range entries {
		out = append(out, strings.TrimSpace(e.Exchange.Name+" "+failing(e)))
	}
	return out
}

// Every exchange leaves its entry, and the entries of a session tell its
// story, before they are sealed and after.
func TestTheLedgerTellsTheStory(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		l := r.life()
		if n := r.count(`select count(*) from ledger_open`); n != l.entries {
			t.Errorf("%d entries, want %d", n, l.entries)
		}
		story := func(when string) {
			t.Helper()
			entries := read(t, r.store, func(v core.View) []ledger.Entry { return v.EntriesOf(l.tokens.Session.ID, 100) })
			if got := told(entries); !slices.Equal(got, l.story) {
				t.Errorf("%s the session's story is\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(l.story, "\n"))
			}
			for i, e := range entries {
				if i > 0 && !entries[i-1].At.Before(e.At) || e.Refused != (e.Ref != "") || e.Unknown != 0 {
					t.Errorf("%s entry %d is %+v", when, i, e)
				}
			}
		}
		story("before sealing")
		sealed := 0
		for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
			n, err := r.pipe.Seal(t.Context(), chain, r.ring.Ledger)
			if err != nil || n == 0 {
				t.Fatalf("chain %d: %d sealed, %v", chain, n, err)
			}
			sealed += n
			if n, err := r.pipe.Seal(t.Context(), chain, r.ring.Ledger); n != 0 || err != nil {
				t.Errorf("chain %d, again: %d, %v", chain, n, err)
			}
		}
		if n := r.count(`select count(*) from ledger_open`); sealed != l.entries || n != 0 {
			t.Errorf("%d of %d entries sealed, %d left", sealed, l.entries, n)
		}
		story("after sealing")
		who := exchange.Who{Session: l.tokens.Session}
		if entries, err := r.Exchanges.Exchanges(t.Context(), who); err != nil || !slices.Equal(told(entries), l.story) {
			t.Errorf("the person is told %v: %v", told(entries), err)
		}
		public := r.ring.Ledger.Public().(ed25519.PublicKey)
		second := r.signIn(t, r.person())
		r.refresh(t, second.Refresh)
		for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
			if n, err := r.pipe.Seal(t.Context(), chain, r.ring.Ledger); err != nil || n == 0 {
				t.Fatalf("chain %d: %d sealed, %v", chain, n, err)
			}
			segments := read(t, r.store, func(v core.View) []ledger.Segment { return v.Segments(chain, 1, 100) })
			var before ledger.Segment
			for _, s := range segments {
				if err := s.Verify(before, public); err != nil {
					t.Error(err)
				}
				entries, err := s.Entries()
				if err != nil || len(entries) != s.Count {
					t.Errorf("%d entries: %v", len(entries), err)
				}
				for _, e := range entries {
					if e.Chain != chain {
						t.Errorf("%s is in chain %d", e.Exchange.Name, chain)
					}
					if often := chain == ledger.Rest; often && (e.Refused || !e.Exchange.Frequent()) {
						t.Errorf("a %s that matters is among what is kept for less long", e.Exchange.Name)
					}
				}
				before = s
			}
			if len(segments) != 2 {
				t.Fatalf("chain %d has %d segments", chain, len(segments))
			}
			if segments[1].Verify(ledger.Segment{}, public) == nil {
				t.Error("a missing segment is not noticed")
			}
			segments[0].Body[3] ^= 1
			if segments[0].Verify(ledger.Segment{}, public) == nil {
				t.Error("a changed segment is not noticed")
			}
		}
	})
}

// Who and where lies apart from the chain, so that it can be erased.
func TestPersonalFieldsLieApart(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.life()
		for table, rows := range r.tables("ledger_open", "ledger_segments", "ledger_index", "feed_events", "families", "users") {
			for _, personal := range []string{userAgent, "Firefox", "192.0.2.10", "198.51.100.0"} {
				if strings.Contains(rows, personal) {
					t.Errorf("%s holds %q", table, personal)
				}
			}
		}
		rows := r.tables("ledger_private")["ledger_private"]
		if !strings.Contains(rows, `"ip":"192.0.2.10"`) || !strings.Contains(rows, userAgent) {
			t.Error("the personal fields are nowhere")
		}
		// They fit the entry they were written with, and no other.
		kept := r.count(`select count(*) from ledger_private`)
		if entries := r.count(`select count(*) from ledger_open`); kept != entries-2 { // an operator's have none
			t.Errorf("%d rows of personal fields for %d entries", kept, entries)
		}
	})
}

// No secret is kept: not as it is written, not as the bytes it stands for, in
// no table and no file.
// Attack TEN-18.
func TestNoSecretIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		l := r.life()
		secrets := map[string][]byte{}
		for _, s := range l.secrets {
			if s == "" {
				continue
			}
			secrets[s] = []byte(s)
			if w, ok := token.ParseRefresh(s); ok {
				secrets[s+" (its bytes)"] = w.Secret[:]
			}
			if b, ok := token.ParseSession(s); ok {
				secrets[s+" (its bytes)"] = b
			}
		}
		if len(secrets) < 20 {
			t.Fatalf("only %d secrets to look for", len(secrets))
		}
		look := func(where string, in []byte) {
			for name, s := range secrets {
				if bytes.Contains(in, s) || bytes.Contains(in, []byte(secret.Encode(s))) {
					t.Errorf("%s holds %s", where, name)
				}
			}
		}
		all := func(when string) {
			tables := r.tables(r.everyTable()...)
			if len(tables) < 15 {
				t.Fatalf("only the tables %v", tables)
			}
			for table, rows := range tables {
				look(table+" "+when, []byte(rows))
			}
			for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
				for _, s := range read(t, r.store, func(v core.View) []ledger.Segment { return v.Segments(chain, 1, 100) }) {
					entries, err := s.Entries()
					if err != nil {
						t.Fatal(err)
					}
					look("a segment", fmt.Appendf(nil, "%+v", entries))
				}
			}
		}
		all("before sealing")
		for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
			if _, err := r.pipe.Seal(t.Context(), chain, r.ring.Ledger); err != nil {
				t.Fatal(err)
			}
		}
		all("after sealing")
		if path, ok := strings.CutPrefix(r.address, "sqlite://"); ok {
			for _, file := range []string{path, path + "-wal"} {
				raw, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				look(file, raw)
			}
		}
	})
}
