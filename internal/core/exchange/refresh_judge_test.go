package exchange_test

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/token"
)

// What is not ours is refused and harms nobody: a stranger cannot end a
// session by sending junk that names it.
func TestForeignRefreshTokens(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		own := r.seat(p)
		other := r.seat(r.person())
		own = r.refresh(t, r.refresh(t, own.Refresh).Refresh) // generation 2
		w, _ := token.ParseRefresh(own.Refresh)
		ours := r.ring.Refresh[0]
		theirs := key.RefreshKey{Tag: ours.Tag, Next: ours.Next, MAC: make([]byte, 32)}
		forged := func(k key.RefreshKey, f token.FamilyID) string {
			text, _ := token.First(k, f, secret.Random())
			return text
		}
		last := own.Refresh[len(own.Refresh)-1:]
		for name, c := range map[string]struct{ text, refused string }{
			"empty":                        {"", "refresh.form"},
			"cut short":                    {own.Refresh[:len(own.Refresh)-1], "refresh.form"},
			"too long":                     {own.Refresh + "A", "refresh.form"},
			"twice":                        {own.Refresh + own.Refresh, "refresh.form"},
			"another prefix":               {"dw_st_" + own.Refresh[6:], "refresh.form"},
			"in capitals":                  {strings.ToUpper(own.Refresh), "refresh.form"},
			"a line break":                 {own.Refresh[:60] + "\n" + own.Refresh[61:], "refresh.form"},
			"a changed letter":             {own.Refresh[:60] + swap(own.Refresh[60:61]) + own.Refresh[61:], "refresh.form"},
			"slack bits":                   {own.Refresh[:len(own.Refresh)-1] + swap(last), "refresh.form"},
			"another key":                  {forged(theirs, w.Family), "refresh.authentic"},
			"another key's tag":            {forged(key.RefreshKey{Tag: [4]byte{1}, Next: ours.Next, MAC: ours.MAC}, w.Family), "refresh.authentic"},
			"a family that is not there":   {forged(ours, token.NewFamilyID(r.clock.now(), secret.Random16())), "refresh.authentic"},
			"another's family, our secret": {graft(t, other.Refresh, w.Family), "refresh.authentic"},
		} {
			r.tallies.take()
			_, err := r.Refresh(t.Context(), home, exchange.RefreshInput{Token: c.text})
			if got := named(err); got != c.refused {
				t.Errorf("%s: %s, want %s", name, got, c.refused)
			}
			if n := len(r.tallies.take()); n != 1 {
				t.Errorf("%s: %d tallies, want one and no entry", name, n)
			}
		}
		// With the server's own key a secret that fits nothing is foreign too,
		// in the current generation and in the one before.
		young := r.seat(p)
		yw, _ := token.ParseRefresh(young.Refresh)
		r.refreshRefused(t, forged(ours, yw.Family), "refresh.authentic")
		young = r.refresh(t, young.Refresh)
		r.refreshRefused(t, forged(ours, yw.Family), "refresh.authentic")
		r.refresh(t, young.Refresh)
		r.refresh(t, own.Refresh)
		if events := r.events(); len(events) != 0 {
			t.Errorf("junk revoked: %v", events)
		}
	})
}

func swap(s string) string {
	if s == "A" {
		return "B"
	}
	return "A"
}

// graft puts another family's name into a token and makes its checksum good.
func graft(t *testing.T, text string, f token.FamilyID) string {
	t.Helper()
	b, ok := secret.Decode(strings.TrimPrefix(text, token.RefreshPrefix))
	if !ok {
		t.Fatal("not a token")
	}
	copy(b[5:21], f[:])
	return token.RefreshPrefix + secret.Encode(checksummed(b))
}

// A database that went back in time meets tokens of its own future. They are
// nobody's theft.
func TestATokenFromTheFuture(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		first := r.seat(r.person())
		was := r.family(first.Refresh)
		next := r.refresh(t, first.Refresh)
		r.exec(`update families set generation = 0, current = $1, rotated_at = created where id = $2`, was.Current[:], was.ID[:])
		f := r.refreshRefused(t, next.Refresh, "refresh.present")
		if f.Check().Shown != "refresh.present" {
			t.Errorf("refusal %+v", f)
		}
		r.live(t, first.Cookie)
		if again := r.refresh(t, first.Refresh); again.Refresh != next.Refresh {
			t.Error("the successor is another one")
		}
		if events := r.events(); len(events) != 0 {
			t.Errorf("events %v", events)
		}
	})
}

func TestRefreshTokensExpire(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		t.Run("unused", func(t *testing.T) {
			n := r.on(r.store, lifetimes(func(p *exchange.Policy) { p.Token.Idle, p.Token.Max = time.Hour, 3*time.Hour }))
			out, never := n.signIn(t, r.person()), n.signIn(t, r.person())
			r.clock.add(time.Hour - time.Microsecond)
			out = n.refresh(t, out.Refresh)
			r.clock.add(time.Microsecond)
			n.refreshRefused(t, never.Refresh, "refresh.in_time")
			r.clock.add(time.Hour - time.Microsecond)
			n.refreshRefused(t, out.Refresh, "refresh.in_time")
			n.refreshRefused(t, out.Refresh, "refresh.in_time")
		})
		t.Run("old", func(t *testing.T) {
			n := r.on(r.store, lifetimes(func(p *exchange.Policy) { p.Token.Idle, p.Token.Max = time.Hour, 90*time.Minute }))
			in := n.signIn(t, r.person())
			r.clock.add(time.Hour - time.Minute)
			out := n.refresh(t, in.Refresh)
			r.clock.add(31*time.Minute - time.Microsecond)
			out = n.refresh(t, out.Refresh)
			r.clock.add(time.Microsecond)
			n.refreshRefused(t, out.Refresh, "refresh.in_time")
			n.live(t, in.Cookie)
		})
		t.Run("its session unused", func(t *testing.T) {
			out := r.signIn(t, r.person())
			r.clock.add(14 * day)
			r.refreshRefused(t, out.Refresh, "session.in_time")
			r.cookieRefused(t, out.Cookie, "session.in_time")
		})
		t.Run("its session old", func(t *testing.T) {
			in := r.signIn(t, r.person())
			out := in
			for range 29 {
				r.clock.add(day)
				out = r.refresh(t, out.Refresh)
			}
			r.clock.add(day - time.Microsecond)
			out = r.refresh(t, out.Refresh)
			r.clock.add(time.Microsecond)
			r.refreshRefused(t, out.Refresh, "session.in_time")
			r.cookieRefused(t, in.Cookie, "session.in_time")
			if f := r.family(out.Refresh); !r.clock.now().Before(f.MaxUntil) {
				t.Error("the family ended by itself: this test shows nothing")
			}
		})
		if events := r.events(); len(events) != 0 {
			t.Errorf("time revoked: %v", events)
		}
	})
}

// A refresh is activity of its session: an app in use keeps it from lapsing.
func TestARefreshIsActivityOfItsSession(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		in := r.signIn(t, r.person())
		r.clock.add(day)
		out := r.refresh(t, in.Refresh)
		if s := r.session(in.Session.ID); !s.IdleUntil.Equal(in.Session.IdleUntil) {
			t.Errorf("a use after a fourteenth of the idle lifetime was written at once: %v", s.IdleUntil)
		}
		r.clock.add(9 * day)
		out = r.refresh(t, out.Refresh)
		if s := r.session(in.Session.ID); !s.IdleUntil.Equal(r.clock.now().Add(14*day)) || !s.LastSeen.Equal(r.clock.now()) {
			t.Errorf("the session lapses at %v, last seen %v", s.IdleUntil, s.LastSeen)
		}
		r.clock.add(10 * day)
		r.live(t, in.Cookie)
		r.refresh(t, out.Refresh)
		if s := r.session(in.Session.ID); !s.IdleUntil.Equal(s.MaxUntil) {
			t.Errorf("the idle end %v is past the absolute one %v, or before", s.IdleUntil, s.MaxUntil)
		}
	})
}

// checksummed makes a token's bytes end in their CRC-32 again.
func checksummed(b []byte) []byte {
	b = b[:len(b)-4]
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
