package token

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/key"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const grace = 10 * time.Second

func testKey(seed byte) key.RefreshKey {
	return key.RefreshKey{Tag: [4]byte{seed}, Next: bytes.Repeat([]byte{seed}, 32), MAC: bytes.Repeat([]byte{seed + 1}, 32)}
}

// line makes a family and its first n+1 tokens; the family stands at n.
func line(t *testing.T, n int) (Family, []string, []key.RefreshKey) {
	t.Helper()
	k := testKey(7)
	f := Family{ID: FamilyID{1}, KeyTag: k.Tag, Salt: [16]byte{3}, RotatedAt: now, IdleUntil: now.Add(time.Hour), MaxUntil: now.Add(time.Hour)}
	wire, current := First(k, f.ID, [32]byte{9})
	f.Current = current
	wires := []string{wire}
	for range n {
		w, ok := ParseRefresh(wires[len(wires)-1])
		if !ok {
			t.Fatal("a token of our own does not parse")
		}
		next, hash := Weigh(w, f, []key.RefreshKey{k}).Successor()
		f.Generation++
		f.Current = hash
		wires = append(wires, next)
	}
	return f, wires, []key.RefreshKey{k}
}

func weigh(t *testing.T, wire string, f Family, keys []key.RefreshKey) Weighed {
	t.Helper()
	w, ok := ParseRefresh(wire)
	if !ok {
		t.Fatalf("%q does not parse", wire)
	}
	return Weigh(w, f, keys)
}

func TestJudge(t *testing.T) {
	f, wires, keys := line(t, 4)
	for name, c := range map[string]struct {
		wire      string
		change    func(*Family)
		ancestors bool
		at        time.Time
		want      Verdict
	}{
		"current":                        {wires[4], nil, true, now, Rotate},
		"parent at once":                 {wires[3], nil, true, now, Replay},
		"parent at the end of grace":     {wires[3], nil, true, now.Add(grace), Replay},
		"parent after the grace":         {wires[3], nil, true, now.Add(grace + 1), Late},
		"grandparent inside the grace":   {wires[2], nil, true, now, Reused},
		"the first, long after":          {wires[0], nil, true, now.Add(time.Minute), Reused},
		"ended":                          {wires[4], func(f *Family) { f.Ended = now }, true, now, Dead},
		"ended, and spent":               {wires[2], func(f *Family) { f.Ended = now }, true, now, Dead},
		"session ended":                  {wires[4], nil, false, now, Dead},
		"unused too long":                {wires[4], nil, true, now.Add(time.Hour), Expired},
		"too old":                        {wires[4], func(f *Family) { f.MaxUntil = now }, true, now, Expired},
		"database went back":             {wires[4], func(f *Family) { f.Generation = 2 }, true, now, Future},
		"no such family":                 {wires[4], func(f *Family) { *f = Family{} }, true, now, Foreign},
		"another family":                 {wires[4], func(f *Family) { f.ID[0]++ }, true, now, Foreign},
		"current, but the secret is off": {wires[4], func(f *Family) { f.Current[0]++ }, true, now, Foreign},
		"parent of another line":         {wires[3], func(f *Family) { f.Current[0]++ }, true, now, Foreign},
	} {
		g := f
		if c.change != nil {
			c.change(&g)
		}
		if got := Judge(weigh(t, c.wire, g, keys), g, c.ancestors, c.at, grace); got != c.want {
			t.Errorf("%s: verdict %d, want %d", name, got, c.want)
		}
	}
	if got := Judge(weigh(t, wires[3], f, keys), f, true, now, 0); got != Late {
		t.Errorf("with no grace a parent is %d, want Late", got)
	}
}

func TestEveryRetryGetsTheSameSuccessor(t *testing.T) {
	f, wires, keys := line(t, 1)
	got, _ := weigh(t, wires[0], f, keys).Successor()
	if got != wires[1] {
		t.Error("I-06: the parent does not give the identical child")
	}
	other := f
	other.Salt[0]++
	if got, _ := weigh(t, wires[0], other, keys).Successor(); got == wires[1] {
		t.Error("two families give the same child")
	}
}

func TestACompromisedKeyIsNoEvidenceOfReuse(t *testing.T) {
	f, wires, keys := line(t, 3)
	keys[0].Compromised = true
	if got := Judge(weigh(t, wires[0], f, keys), f, true, now, grace); got != Foreign {
		t.Errorf("a MAC that anybody could make burned the family: %d", got)
	}
	if got := Judge(weigh(t, wires[3], f, keys), f, true, now, grace); got != Rotate {
		t.Errorf("the current token stopped working: %d", got)
	}
}

func TestATokenHasOneSpelling(t *testing.T) {
	f, wires, keys := line(t, 0)
	good := wires[0]
	for i := range good {
		for _, c := range []byte{'A', 'B', '-', '_', '=', '\n', 0} {
			bad := good[:i] + string(c) + good[i+1:]
			if bad == good {
				continue
			}
			if w, ok := ParseRefresh(bad); ok && Judge(Weigh(w, f, keys), f, true, now, grace) != Foreign {
				t.Fatalf("SES-08: %q works as well as %q", bad, good)
			}
		}
		if _, ok := ParseRefresh(good[:i]); ok {
			t.Fatalf("SES-08: cut to %d characters it still parses", i)
		}
	}
	if _, ok := ParseRefresh(good + "A"); ok {
		t.Error("SES-08: extended it still parses")
	}
	st := NewSession(secret.Random())
	if _, ok := ParseRefresh(st); ok {
		t.Error("OAU-16: a session cookie parses as a refresh token")
	}
	if _, ok := ParseSession(good); ok {
		t.Error("OAU-16: a refresh token parses as a session cookie")
	}
	if s, ok := ParseSession(st); !ok || len(s) != 32 {
		t.Error("a session cookie of our own does not parse")
	}
}

func FuzzParseRefresh(f *testing.F) {
	f.Add(Wire{Family: FamilyID{1}}.encode(testKey(1)))
	f.Add(RefreshPrefix + strings.Repeat("A", RefreshLen-len(RefreshPrefix)))
	f.Fuzz(func(t *testing.T, s string) {
		w, ok := ParseRefresh(s)
		if !ok {
			return
		}
		k := testKey(1)
		k.Tag = w.Tag
		if w.authentic(k) && w.encode(k) != s {
			t.Errorf("%q and %q are one token", s, w.encode(k))
		}
	})
}

func FuzzParseSession(f *testing.F) {
	f.Add(NewSession([32]byte{1}))
	f.Fuzz(func(t *testing.T, s string) {
		if b, ok := ParseSession(s); ok && NewSession([32]byte(b)) != s {
			t.Errorf("%q has another spelling", s)
		}
	})
}

func FuzzReadClaims(f *testing.F) {
	c := Claims{Issuer: "https://a.example", Subject: "user_1", Audience: []string{"x"}, ExpiresAt: now, IssuedAt: now, JTI: "at_1", Rev: 3, AMR: []string{"pwd"}, AuthTime: now}
	f.Add(c.encode())
	f.Add([]byte(`{"sub":"0","exp":0,"nbf":0,"iat":0,"jti":"0","rev":0}`)) // without an issuer (RFC 9068 section 2.2)
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, ok := ReadClaims(raw, "k")
		if !ok {
			return
		}
		again, ok := ReadClaims(c.encode(), "k")
		if !ok || again.ExpiresAt != c.ExpiresAt || again.Rev != c.Rev || again.Subject != c.Subject {
			t.Errorf("%s reads as %+v and then as %+v", raw, c, again)
		}
	})
}

func TestClaimsThatAreNotWholeNumbersAreRefused(t *testing.T) {
	for _, exp := range []string{`"1"`, `1.5`, `1e400`, `-1`, `true`, `null`, `9007199254740993000`, `[1]`} {
		raw := `{"iss":"i","sub":"s","aud":"a","exp":` + exp + `,"nbf":1,"iat":1,"jti":"j","rev":0}`
		if c, ok := ReadClaims([]byte(raw), "k"); ok {
			t.Errorf("JWT-20: exp %s reads as %v", exp, c.ExpiresAt)
		}
	}
	if _, ok := ReadClaims([]byte(`{"iss":"i","sub":"s","sub":"t","aud":"a","exp":1,"nbf":1,"iat":1,"jti":"j","rev":0}`), "k"); ok {
		t.Error("JW-07: a duplicate member was read")
	}
}

func TestNothingIsIssuedWithoutAPassedExchange(t *testing.T) {
	if _, err := Issue(check.Passed{}, &key.Ring{}, "jwt", nil, Claims{}); err != ErrNotPassed {
		t.Errorf("Issue = %v", err)
	}
}

// Who acts for the subject is read as it was written, and no longer chain than
// three is (check DV-07).
func TestActorsAreAChain(t *testing.T) {
	c := full()
	for n := range ActorsAtMost + 2 {
		c.Act = nil
		for i := range n {
			c.Act = append(c.Act, string(rune('a'+i)))
		}
		got, ok := ReadClaims(c.encode(), c.KID)
		if ok != (n <= ActorsAtMost) || ok && !slices.Equal(got.Act, c.Act) {
			t.Errorf("%d actors: %v, %q", n, ok, got.Act)
		}
		if _, _, ours := open(sealed(t, 1, c), []key.OpaqueKey{opaqueKey(1)}); ours != ok {
			t.Errorf("%d actors, sealed: %v", n, ours)
		}
	}
}
