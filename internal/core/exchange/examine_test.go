package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

func (n *node) examined(t *testing.T, text string) exchange.Examination {
	t.Helper()
	e, err := n.Examine(t.Context(), text, "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// failed is the check that an examination says fails first.
func failed(e exchange.Examination) string {
	if c := e.Failed(); c != nil {
		return c.ID
	}
	return "passed"
}

// An examination says what the checks of each kind of token say, in order, and
// changes nothing.
func TestExamination(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.vault()
		p := r.person()
		jwt := r.signIn(t, p)
		in := r.signInFrom(t, p, vaultOrigin)
		r.spy.take()
		for text, kind := range map[string]string{jwt.Access: "jwt", in.Access: "opaque", in.Refresh: "refresh", in.Cookie: "session"} {
			e := r.examined(t, text)
			if !e.Passed || failed(e) != "passed" || e.Kind != kind || e.User.ID != p.id || e.Last.Exchange == nil || e.Last.Exchange.Name != "signin.password" {
				t.Errorf("%s: %+v", kind, e)
			}
			for _, f := range e.Findings {
				if !f.Reached || !f.Known || !f.Holds {
					t.Errorf("%s: %+v", kind, f)
				}
			}
		}
		if e, _ := r.Examine(t.Context(), in.Access, "https://api.vault.example"); !e.Passed {
			t.Errorf("for its API: %+v", e)
		}
		e, _ := r.Examine(t.Context(), in.Access, "https://api.films.example")
		if failed(e) != "token.audience" || e.Claims.Client != "vault" {
			t.Errorf("for another API: %+v", e)
		}
		// What comes after the failure did not run, and what it would say is known.
		if f := e.Findings; len(f) != 5 || !f[2].Reached || f[3].Reached || !f[3].Known || !f[3].Holds || f[4].Reached || !f[4].Holds {
			t.Errorf("%+v", f)
		}
		for text, want := range map[string]string{"": "token.form", "junk": "token.form", in.Access[:40]: "token.form", in.Refresh + "A": "refresh.form", in.Cookie[:20]: "session.presented",
			jwt.Access[:len(jwt.Access)-4] + "AAAA": "token.signature"} {
			e := r.examined(t, text)
			if failed(e) != want || e.Passed || e.Claims.Subject != "" || e.User.Exists() || e.Session.Exists() {
				t.Errorf("%.20q: %s, want %s: %+v", text, failed(e), want, e)
			}
		}
		byID, err := r.ExamineSession(t.Context(), in.Session.ID)
		if err != nil || !byID.Passed || byID.User.ID != p.id {
			t.Errorf("%+v, %v", byID, err)
		}
		if units := r.spy.take(); len(units) != 0 {
			t.Errorf("looking wrote %v", units)
		}
		if _, err := r.SignOut(t.Context(), home, exchange.Credential{Cookie: in.Cookie}); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]string{in.Access: "token.alive", in.Refresh: "refresh.alive", in.Cookie: "session.alive"} {
			if e := r.examined(t, text); failed(e) != want || e.User.ID != p.id {
				t.Errorf("signed out: %s, want %s", failed(e), want)
			}
		}
		if e := r.examined(t, in.Access); e.Killer.Name != (revocation.Name{Unit: revocation.Session, ID: in.Session.ID.String()}) {
			t.Errorf("killed by %+v", e.Killer)
		}
		r.clock.add(6 * time.Minute)
		if e := r.examined(t, in.Access); failed(e) != "token.in_time" || e.Findings[4].Holds {
			t.Errorf("%+v", e.Findings)
		}
		spent := jwt.Refresh
		next := r.refresh(t, r.refresh(t, spent).Refresh)
		if e := r.examined(t, spent); failed(e) != "refresh.unspent" {
			t.Errorf("a spent one: %s", failed(e))
		}
		// Looking at a spent token is no theft: the family stands.
		r.refresh(t, next.Refresh)
		none, err := r.ExamineSession(t.Context(), session.ID{1})
		if err != nil || failed(none) != "session.presented" {
			t.Errorf("%+v, %v", none, err)
		}
	})
}

// OAU-35: a token that an operator found is revoked, whichever kind it is, and
// nothing else is.
func TestAnOperatorRevokesTokens(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.vault()
		p := r.person()
		other := r.open(behind)
		revoke := func(text string, want exchange.Revoked) {
			t.Helper()
			got, err := r.Revoke(t.Context(), operator, text)
			if err != nil || got != want {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
			other.catchUp(t)
		}
		in := r.signInFrom(t, p, vaultOrigin)
		next, err := r.Refresh(t.Context(), home, exchange.RefreshInput{Token: in.Refresh, Origin: vaultOrigin})
		if err != nil {
			t.Fatal(err)
		}
		c := r.inspected(t, in.Access)
		revoke(in.Access, exchange.Revoked{Kind: "opaque", JTI: c.JTI, Session: in.Session.ID})
		for _, n := range []*node{r.node, other} {
			n.accessRefused(t, in.Access, "token.alive")
			n.inspected(t, next.Access)
			n.live(t, in.Cookie)
		}
		jwt := r.signIn(t, p)
		revoke(jwt.Access, exchange.Revoked{Kind: "jwt", JTI: r.inspected(t, jwt.Access).JTI, Session: jwt.Session.ID})
		r.accessRefused(t, jwt.Access, "token.alive")

		revoke(next.Refresh, exchange.Revoked{Kind: "refresh", Session: in.Session.ID})
		other.accessRefused(t, next.Access, "token.alive")
		_, err = other.Refresh(t.Context(), home, exchange.RefreshInput{Token: next.Refresh, Origin: vaultOrigin})
		refused(t, err, "refresh.alive")
		other.live(t, in.Cookie)
		revoke(next.Refresh, exchange.Revoked{Kind: "refresh", Session: in.Session.ID, Already: true})

		revoke(in.Cookie, exchange.Revoked{Kind: "session", Session: in.Session.ID})
		other.cookieRefused(t, in.Cookie, "session.alive")
		revoke(in.Cookie, exchange.Revoked{Kind: "session", Session: in.Session.ID, Already: true})
		r.live(t, jwt.Cookie)
		before := len(r.events())
		for _, text := range []string{"", "junk", "dw_at_AAAA", "dw_rt_AAAA", "dw_st_AAAA", jwt.Access[:len(jwt.Access)-4] + "AAAA", token.NewSession([32]byte{1})} {
			_, err := r.Revoke(t.Context(), operator, text)
			refused(t, err, "token.ours")
		}
		if len(r.events()) != before {
			t.Error("a refused revocation revoked something")
		}
	})
}
