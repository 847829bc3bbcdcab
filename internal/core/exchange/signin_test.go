package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

func TestSignIn(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		out := r.signIn(t, p)
		if who := r.live(t, out.Cookie); who.User.ID != p.id || who.Session.ID != out.Session.ID {
			t.Errorf("the cookie is %v of %v", who.Session.ID, who.User.ID)
		}
		who, err := r.Bearer(t.Context(), token.Alone(out.Access))
		if err != nil || who.User.ID != p.id || who.Session.ID != out.Session.ID {
			t.Errorf("the access token is %v of %v: %v", who.Session.ID, who.User.ID, err)
		}
		c := r.inspected(t, out.Access)
		now := r.clock.now().Truncate(time.Second)
		if c.Subject != p.id.String() || c.Session != out.Session.ID.String() || c.Client != "doorward" || c.Scope != "account" ||
			!c.IssuedAt.Equal(now) || !c.ExpiresAt.Equal(now.Add(5*time.Minute)) || !out.ExpiresAt.Equal(c.ExpiresAt) ||
			!c.AuthTime.Equal(now) || c.ACR != "urn:doorward:acr:1" || !slices.Equal(c.AMR, []string{"pwd"}) {
			t.Errorf("claims %+v", c)
		}
		s := r.session(out.Session.ID)
		if s.IP != "192.0.2.10" || s.UserAgent != userAgent || s.Method != "password" || !s.IdleUntil.Equal(r.clock.now().Add(14*day)) || !s.MaxUntil.Equal(r.clock.now().Add(30*day)) {
			t.Errorf("session %+v", s)
		}
		if next := r.refresh(t, out.Refresh); next.Session.ID != out.Session.ID || next.Refresh == out.Refresh {
			t.Errorf("refresh gave %+v", next)
		}
		units := r.spy.take()
		want := []string{"factor.Use", "session.Start", "token.Open", "identity.Hold", "session.Recognise", "risk.Know"}
		if got := kinds(units[0]); !slices.Equal(got, want) {
			t.Errorf("the sign-in wrote %v, want %v", got, want)
		}
		if again := r.signIn(t, p); again.Session.ID == out.Session.ID || again.Cookie == out.Cookie {
			t.Error("a second sign-in is the first session again")
		}
	})
}

// Whoever guesses learns nothing of which part was wrong: not from the answer,
// not from what is written.
// Attacks ENM-01 and ENM-02.
func TestWrongSignInsLookAlike(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		paused, invited := r.person(), person{identity.NewUserID(r.clock.now(), secret.Random16()), "invited@example.com"}
		r.pause(t, paused)
		if _, err := r.store.Commit(t.Context(), core.Unit{identity.Create{ID: invited.id, Address: invited.email}}); err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("x", 2000)
		cases := []struct {
			name   string
			of     person // zero when nobody is known
			email  string
			pw     string
			failed string
		}{
			{"wrong password", r.person(), "", "not the password", "password.fits"},
			{"no password", r.person(), "", "", "password.fits"},
			{"too long a password", r.person(), "", long, "password.fits"},
			{"a password that is no text", r.person(), "", password + "\x00\xff", "password.fits"},
			{"paused, and wrong", paused, "", "not the password", "password.fits"},
			{"has no password yet", invited, "", password, "password.fits"},
			{"unknown address", person{}, "nobody@example.com", password, "user.known"},
			{"malformed address", person{}, "not an address", password, "user.known"},
			{"malformed, not text", person{}, "a\xff\x00\n@example.com", password, "user.known"},
			{"malformed, long", person{}, long + "@example.com", password, "user.known"},
			{"empty", person{}, "", "", "user.known"},
			{"two addresses", person{}, "person1@example.com,person2@example.com", password, "user.known"},
		}
		var first *check.Refusal
		for i, c := range cases {
			r.spy.take()
			r.tallies.take()
			email := c.email
			if !c.of.id.IsZero() {
				email = c.of.email
			}
			out, err := r.Password(t.Context(), elsewhere(i), exchange.PasswordInput{Email: email, Password: c.pw})
			if out != (exchange.Tokens{}) {
				t.Errorf("%s: %+v was given", c.name, out)
			}
			f := refused(t, err, c.failed)
			if first == nil {
				first = f
			}
			if f.Check().Shown != "signin.failed" || f.Check().Title != first.Check().Title || f.Check().Fault != first.Check().Fault || f.RetryAfter != 0 || f.Ref == "" {
				t.Errorf("%s: shows %+v, want what others show: %+v", c.name, f.Check(), first.Check())
			}
			units := r.spy.take()
			if len(units) != 1 || !slices.Equal(kinds(units[0]), []string{"risk.Fail"}) {
				t.Fatalf("%s: wrote %v, want one failure", c.name, units)
			}
			e, err := entry(units[0])
			switch tallies := r.tallies.take(); {
			case c.of.id.IsZero():
				if err == nil || !slices.Equal(tallies, []string{c.failed}) {
					t.Errorf("%s: a stranger wrote an entry, or the tally is %v", c.name, tallies)
				}
			case err != nil || !e.Refused || e.User != c.of.id || e.Ref != f.Ref || failing(e) != c.failed || e.Chain != ledger.Audit || len(tallies) != 0:
				t.Errorf("%s: entry %+v (%v), tallies %v", c.name, e, err, tallies)
			}
		}
		if n := r.count(`select count(*) from sessions`); n != 0 {
			t.Errorf("%d sessions came of it", n)
		}
	})
}

// Only who knows the password learns that an account is paused, and gets
// nothing for it (IDN-10).
func TestOnlyTheRightPasswordLearnsOfAPause(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		paused := r.person()
		r.pause(t, paused)
		out, err := r.Password(t.Context(), elsewhere(1), exchange.PasswordInput{Email: paused.email, Password: password})
		if f := refused(t, err, "user.active"); f.Check().Shown != "user.active" || out != (exchange.Tokens{}) {
			t.Errorf("shows %s and gives %+v", f.Check().Shown, out)
		}
		if n := r.count(`select count(*) from sessions`); n != 0 {
			t.Errorf("%d sessions came of it", n)
		}
	})
}

func TestASignInReplacesTheSessionOfItsBrowser(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		old := r.signIn(t, p)
		in := exchange.PasswordInput{Email: p.email, Password: "wrong", Replaces: old.Cookie}
		_, err := r.Password(t.Context(), elsewhere(1), in)
		refused(t, err, "password.fits")
		r.live(t, old.Cookie)

		r.spy.take()
		in.Password = password
		out, err := r.Password(t.Context(), home, in)
		if err != nil {
			t.Fatal(err)
		}
		units := r.spy.take()
		if f, ok := has[session.Finish](units[0]); len(units) != 1 || !ok || f.ID != old.Session.ID || f.Why != session.Replaced {
			t.Errorf("the unit of the sign-in does not end the old session: %v", units)
		}
		r.dead(t, old)
		r.live(t, out.Cookie)
		r.inspected(t, out.Access)

		// An ended, an unknown and a malformed cookie are no hindrance.
		for i, cookie := range []string{old.Cookie, token.NewSession(secret.Random()), "dw_st_junk"} {
			in.Replaces = cookie
			if _, err := r.Password(t.Context(), home, in); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		r.live(t, out.Cookie)
	})
}

// cheap is the hash of password at a cost that nobody would take today.
const cheap = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$WSQTlZiR2YALw4i5sItMoMgx6yk57sfydLyP8Dgmhrg"

// A hash that was imported, or made at yesterday's cost, is made again.
func TestASignInBringsTheHashUpToDate(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		r.exec(`update passwords set phc = $1 where user_id = $2`, cheap, p.id[:])
		r.signIn(t, p)
		kept := read(t, r.store, func(v core.View) factor.Password { return v.Password(p.id) })
		if ok, rehash, err := factor.Verify(password, kept.PHC); !ok || rehash || err != nil || kept.PHC == cheap {
			t.Errorf("kept %s: fits %v, is old %v, %v", kept.PHC, ok, rehash, err)
		}
		r.clock.add(time.Second)
		r.signIn(t, p)
	})
}
