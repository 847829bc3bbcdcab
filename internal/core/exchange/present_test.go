package exchange_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/token"
)

// A session in use does not lapse: the uses that no request waited for are
// written behind.
func TestUsesAreWrittenBehind(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		in := r.signIn(t, r.person())
		r.clock.add(2 * day)
		if who := r.live(t, in.Cookie); !who.Session.LastSeen.Equal(r.clock.now()) || !who.Session.IdleUntil.Equal(r.clock.now().Add(14*day)) {
			t.Errorf("this request sees %+v", who.Session)
		}
		if s := r.session(in.Session.ID); !s.IdleUntil.Equal(in.Session.IdleUntil) {
			t.Error("a request waited for a write")
		}
		if err := r.FlushSeen(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := r.session(in.Session.ID); !s.IdleUntil.Equal(r.clock.now().Add(14*day)) || !s.LastSeen.Equal(r.clock.now()) {
			t.Errorf("written: lapses %v, seen %v", s.IdleUntil, s.LastSeen)
		}
		r.clock.add(13 * day)
		r.live(t, in.Cookie)
		if err := r.FlushSeen(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.clock.add(14*day - time.Second)
		r.live(t, in.Cookie)
		r.clock.add(day + time.Second)
		r.cookieRefused(t, in.Cookie, "session.in_time")
	})
}

// A session that lapsed while its use was on its way stays lapsed, and one
// that was ended stays ended.
func TestAWriteBehindRevivesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		lapsed, ended := r.seat(p), r.seat(p)
		r.clock.add(13 * day)
		r.live(t, lapsed.Cookie)
		r.live(t, ended.Cookie)
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Cookie: ended.Cookie}); err != nil {
			t.Fatal(err)
		}
		r.clock.add(2 * day)
		if err := r.FlushSeen(t.Context()); err != nil {
			t.Fatal(err)
		}
		fresh := r.on(r.store)
		fresh.cookieRefused(t, lapsed.Cookie, "session.in_time")
		fresh.cookieRefused(t, ended.Cookie, "session.alive")
	})
}

// A node that remembers a session does not remember it past its end.
func TestASessionEndsWhileItIsRemembered(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		seat := r.seat(r.person())
		for range 2 {
			r.clock.add(10 * day)
			r.live(t, seat.Cookie)
			if err := r.FlushSeen(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.clock.add(10*day - time.Minute)
		r.live(t, seat.Cookie)
		r.clock.add(time.Minute - time.Microsecond)
		r.live(t, seat.Cookie)
		r.clock.add(time.Microsecond)
		r.cookieRefused(t, seat.Cookie, "session.in_time")
	})
}

// Attack SES-04.
func TestForeignCookies(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		in := r.signIn(t, r.person())
		for _, cookie := range []string{"", in.Cookie + "A", in.Cookie[:len(in.Cookie)-1], " " + in.Cookie, strings.ToUpper(in.Cookie),
			in.Refresh, in.Access, in.Session.ID.String(), token.NewSession(secret.Random())} {
			r.cookieRefused(t, cookie, "session.presented")
		}
		r.live(t, in.Cookie)
	})
}

// Access tokens are for an audience and a time, under a key of ours.
// Attacks JWT-11 and JWT-12.
func TestAccessTokens(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		in := r.signIn(t, r.person())
		for _, audiences := range [][]string{nil, {""}, {"https://api.example"}, {issuer + "/"}} {
			_, err := r.Inspect(t.Context(), in.Access, audiences...)
			refused(t, err, "token.audience")
		}
		for _, text := range []string{"", in.Refresh, in.Cookie, in.Access + "A", in.Access + in.Access, in.Access[:len(in.Access)-1], " " + in.Access} {
			_, err := r.Inspect(t.Context(), text, issuer)
			if got := named(err); got != "token.form" && got != "token.signature" {
				t.Errorf("%.20q: %s", text, got)
			}
		}
		r.clock.add(5*time.Minute - time.Second)
		r.inspected(t, in.Access)
		r.clock.add(time.Second)
		r.accessRefused(t, in.Access, "token.in_time")
	})
}

// However strange the bytes, an answer about a token is "not active" and
// never an error.
func FuzzIntrospect(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "dw_rt_", "\x00\xff", strings.Repeat("A", 20000),
		"eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.e30.AAAA"} {
		f.Add(s)
	}
	r := newRig(f, "sqlite", lifetimes(func(p *exchange.Policy) { p.Scale = 1 << 20 })) // no budgets: a fuzzer is fast
	r.apps()
	f.Fuzz(func(t *testing.T, text string) {
		got, err := r.Introspect(context.Background(), home, proof("shop"), text)
		inactive(t, "introspected", got, err)
		if _, err := r.Inspect(context.Background(), text, issuer); err == nil {
			t.Errorf("%q is a token", text)
		}
		if _, err := r.Cookie(context.Background(), text); err == nil {
			t.Errorf("%q is a cookie", text)
		}
		if _, err := r.Refresh(context.Background(), home, exchange.RefreshInput{Token: text}); err == nil {
			t.Errorf("%q is a refresh token", text)
		}
	})
}
