package exchange_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

const newPassword = "eleven quiet boats at the pier"

// The keys of browsers' forms.
var (
	hers   = []byte("0123456789abcdef0123456789abcdef")
	after  = []byte("fedcba9876543210fedcba9876543210")
	theirs = []byte("00000000000000000000000000000000")
)

func mails(p *exchange.Policy) { p.Mail, p.PasswordMin = true, 15 }

// letters are the mails that wait to be sent to somebody, the oldest first. A
// mail that has ended before it began is none.
func (r *rig) letters(to string) (out []outbox.Message) {
	r.t.Helper()
	for _, w := range read(r.t, r.store, func(v core.View) []outbox.Waiting { return v.Outbox(r.clock.now().Add(day), 1000) }) {
		m, err := w.Open(r.ring.Mail)
		if err != nil {
			r.t.Fatal(err)
		}
		if m.To == to && w.Expires.After(w.Created) {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b outbox.Message) int { return a.Created.Compare(b.Created) })
	return out
}

// letter is the newest of a kind.
func (r *rig) letter(to string, kind outbox.Kind) outbox.Message {
	r.t.Helper()
	all := slices.DeleteFunc(r.letters(to), func(m outbox.Message) bool { return m.Kind != kind })
	if len(all) == 0 {
		r.t.Fatalf("no mail %v to %s", kind, to)
	}
	return all[len(all)-1]
}

func tokenOf(m outbox.Message) string {
	_, t, _ := strings.Cut(m.Facts.Link, "?t=")
	return t
}

// asks starts a recovery, which must be answered.
func (n *node) asks(t *testing.T, by settle.Caller, email string) token.OnceID {
	t.Helper()
	id, err := n.Recover(t.Context(), by, email, hers)
	if err != nil {
		t.Fatalf("recover %s: %v", email, err)
	}
	return id
}

func TestRecovery(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		p := r.person()
		laptop, phone := one.signIn(t, p), two.signIn(t, p)
		id := one.asks(t, home, strings.ToUpper(p.email))
		m := r.letter(p.email, outbox.Recover)
		if m.User != p.id || len(m.Facts.Code) != token.CodeDigits || m.Facts.By != "" {
			t.Errorf("the mail says %+v", m)
		}
		// Nothing has changed yet.
		two.live(t, phone.Cookie)
		right, err := two.RecoverByCode(t.Context(), home, id, m.Facts.Code[:4]+" "+m.Facts.Code[4:], hers, after)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := one.Recovering(t.Context(), right, after); err != nil || u.ID != p.id {
			t.Errorf("recovering %v: %v", u.ID, err)
		}
		refused(t, one.ChoosePassword(t.Context(), home, right, after, "too short"), "password.good")
		if err := one.ChoosePassword(t.Context(), home, right, after, newPassword); err != nil {
			t.Fatal(err)
		}
		two.catchUp(t)
		for _, n := range []*node{one, two} {
			n.dead(t, laptop)
			n.dead(t, phone)
		}
		if _, ended, err := two.Recovered(t.Context(), right, after); err != nil || len(ended) != 2 {
			t.Errorf("%d sessions are said to have ended: %v", len(ended), err)
		}
		if m := r.letter(p.email, outbox.Recovered); m.Facts.Count != 2 || m.Facts.IP != "192.0.2.10" {
			t.Errorf("the notice says %+v", m.Facts)
		}
		r.letter(p.email, outbox.PasswordChanged)
		// PW-23: it gives no session. The new password does, the old one not.
		for _, s := range read(t, r.store, func(v core.View) []session.Session { return v.Sessions(session.Query{User: p.id, Limit: 10}) }) {
			if s.ID != laptop.Session.ID && s.ID != phone.Session.ID {
				t.Errorf("recovery made the session %v", s.ID)
			}
		}
		_, err = one.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: password})
		refused(t, err, "password.fits")
		r.clock.add(2 * time.Second)
		if _, err := two.Password(t.Context(), home, exchange.PasswordInput{Email: p.email, Password: newPassword}); err != nil {
			t.Errorf("the new password: %v", err)
		}
		// REC-02: what was spent chooses no second password.
		refused(t, one.ChoosePassword(t.Context(), home, right, after, "another long enough password"), "recover.proved")
	}, lifetimes(mails))
}

// REC-02: the step is what the server's own rows say, never what is sent.
func TestNoPasswordIsChosenWithoutTheMailbox(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		id := r.asks(t, home, p.email)
		code := r.letter(p.email, outbox.Recover).Facts.Code
		for name, x := range map[string]struct {
			id  token.OnceID
			key []byte
		}{
			"the object of the mail":      {id, hers},
			"no object":                   {token.OnceID{}, hers},
			"an object that never was":    {token.OnceID{1, 2, 3}, hers},
			"no browser":                  {id, nil},
			"the browser before its step": {id, after},
		} {
			if _, err := r.Recovering(t.Context(), x.id, x.key); named(err) != "recover.proved" {
				t.Errorf("%s: looking: %s", name, named(err))
			}
			if err := r.ChoosePassword(t.Context(), home, x.id, x.key, newPassword); named(err) != "recover.proved" {
				t.Errorf("%s: %s", name, named(err))
			}
		}
		right, err := r.RecoverByCode(t.Context(), home, id, code, hers, after)
		if err != nil {
			t.Fatal(err)
		}
		// SES-02: not in the browser that a planted key made of it, nor in another.
		for _, key := range [][]byte{hers, theirs, nil} {
			refused(t, r.ChoosePassword(t.Context(), home, right, key, newPassword), "recover.proved")
		}
		// Nor as the code or link of anything else, nor later.
		_, err = r.RecoverByCode(t.Context(), home, right, code, after, theirs)
		refused(t, err, "once.known")
		r.clock.add(16 * time.Minute)
		refused(t, r.ChoosePassword(t.Context(), home, right, after, newPassword), "recover.proved")
		r.signIn(t, p)
	}, lifetimes(mails))
}

// ENM-01: who asks learns nothing of whether there is an account, neither
// from the answer nor from what is written. REC-07: the mail goes to the
// stored address, whatever was typed.
func TestRecoveryAnswersAlike(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		known, paused, bare := r.person(), r.person(), r.person()
		r.pause(t, paused)
		r.exec(`delete from passwords where user_id = $1`, bare.id[:])
		r.spy.take()
		wrote := func(by settle.Caller, email string) []string {
			r.asks(t, by, email)
			units := r.spy.take()
			if len(units) != 1 {
				t.Errorf("%s: %d units", email, len(units))
			}
			all := kinds(units[0])
			slices.Sort(all)
			return all
		}
		var first []string
		for i, email := range []string{known.email, paused.email, bare.email, "nobody@example.com", "mıke@example.com", "person1@exa\u212ample.com", strings.ToUpper(known.email)} {
			got := wrote(elsewhere(i), email)
			if first == nil {
				first = got
			}
			want := first
			if i == 6 { // the second of the day, for known and unknown alike
				pay := slices.Index(first, "risk.Pay")
				want = slices.Delete(slices.Clone(first), pay, pay+1)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: wrote %v, want %v", email, got, want)
			}
		}
		second := wrote(elsewhere(20), "nobody@example.com")
		if want := wrote(elsewhere(21), paused.email); !slices.Equal(second, want) {
			t.Errorf("the second time nobody wrote %v, somebody %v", second, want)
		}
		if n := len(r.letters(known.email)); n != 2 {
			t.Errorf("%d mails to the known address", n)
		}
		if all := r.letters("nobody@example.com"); len(all) != 1 || all[0].Kind != outbox.NoAccount || all[0].Facts != (outbox.Facts{}) {
			t.Errorf("mails to nobody: %+v", all)
		}
		for _, typed := range []string{"mıke@example.com", strings.ToUpper(known.email), "nobody@invalid", "?mıke@example.com"} {
			if n := len(r.letters(typed)); n != 0 {
				t.Errorf("REC-07: %d mails to %s", n, typed)
			}
		}
		// Only who can read the mailbox learns that the account is paused.
		_, err := r.RecoverByLink(t.Context(), home, tokenOf(r.letter(paused.email, outbox.Recover)), after)
		refused(t, err, "user.active")
	}, lifetimes(mails))
}

// REC-01, REC-06: more than one address is none.
func TestRecoveryTakesOneAddress(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		v := r.person().email
		for _, list := range []string{v + ",a@evil.example", v + ";a@evil.example", v + " a@evil.example", v + "\na@evil.example", "a@evil.example@" + v,
			"<" + v + ">", "a%2c" + v + "@evil.example", "", "ana", "@", "\"" + v + "\""} {
			_, err := r.Recover(t.Context(), home, list, hers)
			refused(t, err, "address.form")
		}
		if n := len(read(t, r.store, func(v core.View) []outbox.Waiting { return v.Outbox(r.clock.now().Add(day), 10) })); n != 0 {
			t.Errorf("%d mails", n)
		}
	}, lifetimes(mails))
}

// DOS-12: three mails in ten minutes and ten in a day to one address, twenty
// an hour from one network, for known and unknown addresses alike.
func TestRecoveryIsBounded(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for _, email := range []string{r.person().email, "nobody@example.com"} {
			sent := 0
			for i := range 70 {
				_, err := r.Recover(t.Context(), elsewhere(i), email, hers)
				if err == nil {
					sent++
				} else if e := refused(t, err, "limit.mails"); e.RetryAfter <= 0 {
					t.Errorf("again in %v", e.RetryAfter)
				}
				if i == 9 && sent != 3 {
					t.Errorf("%s: %d of ten at once", email, sent)
				}
				if i > 9 {
					r.clock.add(5 * time.Minute)
				}
			}
			if sent < 10 || sent > 12 {
				t.Errorf("%s: %d mails in five hours", email, sent)
			}
			r.clock.add(2 * day)
		}
		sent := 0
		for i := range 40 {
			if _, err := r.Recover(t.Context(), home, fmt.Sprintf("nobody%d@example.com", i), hers); err == nil {
				sent++
			} else {
				refused(t, err, "limit.mails")
			}
		}
		if sent != 20 {
			t.Errorf("%d mails from one network", sent)
		}
	}, lifetimes(mails))
}

// REC-08: of three mails the newest works, once, for twenty minutes, and only
// while nothing about the account has changed.
func TestOnlyTheNewestRecoveryWorks(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		var ids []token.OnceID
		for range 3 {
			ids = append(ids, r.asks(t, home, p.email))
			r.clock.add(time.Second)
		}
		all := r.letters(p.email)
		for i, m := range all[:2] {
			_, err := r.RecoverByLink(t.Context(), home, tokenOf(m), after)
			refused(t, err, "once.known")
			_, err = r.RecoverByCode(t.Context(), home, ids[i], m.Facts.Code, hers, after)
			refused(t, err, "once.known")
		}
		newest := tokenOf(all[2])
		// ... and looking at it changes nothing.
		for range 50 {
			if u, err := r.LookAtRecovery(t.Context(), newest); err != nil || u.ID != p.id {
				t.Fatalf("looking: %v", err)
			}
		}
		if _, err := r.RecoverByLink(t.Context(), home, newest, after); err != nil {
			t.Fatal(err)
		}
		_, err := r.RecoverByLink(t.Context(), home, newest, after)
		refused(t, err, "once.unspent")
		_, err = r.LookAtRecovery(t.Context(), newest)
		refused(t, err, "once.unspent")

		r.clock.add(time.Hour)
		id := r.asks(t, home, p.email)
		m := r.letter(p.email, outbox.Recover)
		r.clock.add(10 * time.Minute)
		_, err = r.RecoverByCode(t.Context(), home, id, m.Facts.Code, hers, after)
		refused(t, err, "once.in_time") // the code; the link lives on
		if _, err := r.LookAtRecovery(t.Context(), tokenOf(m)); err != nil {
			t.Errorf("the link after ten minutes: %v", err)
		}
		r.clock.add(10 * time.Minute)
		_, err = r.RecoverByLink(t.Context(), home, tokenOf(m), after)
		refused(t, err, "once.in_time")

		r.clock.add(time.Hour)
		r.asks(t, home, p.email)
		in := r.signIn(t, p)
		if _, err := r.EndOthers(t.Context(), home, exchange.Credential{Cookie: in.Cookie}, true); err != nil {
			t.Fatal(err)
		}
		_, err = r.RecoverByLink(t.Context(), home, tokenOf(r.letter(p.email, outbox.Recover)), after)
		refused(t, err, "once.stands")
	}, lifetimes(mails))
}

// REC-09: a thousand guesses at once, from two hundred networks, at two nodes:
// five are compared, then the code is worth nothing, and the link still works.
func TestAThousandGuessesOfACode(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		p := r.person()
		id := one.asks(t, home, p.email)
		m := r.letter(p.email, outbox.Recover)
		one.warm(t)
		two.warm(t)
		var compared, other atomic.Int64
		together(1000, func(i int) {
			wrong := fmt.Sprintf("%08d", i)
			if wrong == m.Facts.Code {
				return
			}
			_, err := []*node{one, two}[i%2].RecoverByCode(t.Context(), elsewhere(i%200), id, wrong, hers, after)
			var e *check.Refusal
			switch {
			case errors.As(err, &e) && e.Check() == token.OnceFits:
				compared.Add(1)
			case errors.As(err, &e), errors.Is(err, core.ErrUnavailable):
				other.Add(1)
			default:
				t.Errorf("a guess: %v", err)
			}
		})
		if compared.Load() > token.CodeTries {
			t.Errorf("%d guesses were compared", compared.Load())
		}
		if n := read(t, r.store, func(v core.View) token.Once { return v.Once(id) }).Tries; n > token.CodeTries {
			t.Errorf("%d tries", n)
		}
		t.Logf("%d compared, %d turned away", compared.Load(), other.Load())
		for range token.CodeTries {
			one.RecoverByCode(t.Context(), home, id, "00000000", hers, after)
		}
		_, err := one.RecoverByCode(t.Context(), home, id, m.Facts.Code, hers, after)
		refused(t, err, "once.tries")
		if _, err := two.RecoverByLink(t.Context(), home, tokenOf(m), after); err != nil {
			t.Errorf("the link: %v", err)
		}
	}, lifetimes(mails))
}

// The code belongs to the browser that asked, and ten codes in a quarter of
// an hour are compared for one address, whichever mails they were in.
func TestCodesOfRecovery(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		id := r.asks(t, home, p.email)
		code := r.letter(p.email, outbox.Recover).Facts.Code
		for _, key := range [][]byte{theirs, nil} {
			_, err := r.RecoverByCode(t.Context(), home, id, code, key, after)
			refused(t, err, "once.browser")
		}
		for _, typed := range []string{"", "1234567", "123456789", "１２３４５６７８", "not a code"} {
			_, err := r.RecoverByCode(t.Context(), home, id, typed, hers, after)
			refused(t, err, "once.fits")
		}
		id = r.asks(t, home, p.email)
		for range 5 {
			_, err := r.RecoverByCode(t.Context(), home, id, "", hers, after)
			refused(t, err, "once.fits")
		}
		id = r.asks(t, home, p.email)
		_, err := r.RecoverByCode(t.Context(), home, id, r.letter(p.email, outbox.Recover).Facts.Code, hers, after)
		if e := refused(t, err, "recover.codes"); e.RetryAfter != 90*time.Second {
			t.Errorf("again in %v", e.RetryAfter)
		}
		// A stranger's code of an address that nobody has fits nothing.
		id = r.asks(t, home, "nobody@example.com")
		_, err = r.RecoverByCode(t.Context(), home, id, "00000000", hers, after)
		refused(t, err, "once.fits")
		_, err = r.LookAtRecovery(t.Context(), "")
		refused(t, err, "once.known")
	}, lifetimes(mails))
}

// REC-14, PW-19: an operator starts a recovery and neither sees nor sets a
// password; it is in the ledger with their name.
func TestAnOperatorStartsARecovery(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.signIn(t, p)
		operator := settle.Caller{Actor: "host:0"}
		r.spy.take()
		link, _, err := r.RecoverUser(t.Context(), operator, p.id, false)
		if err != nil || link != "" {
			t.Fatalf("link %q: %v", link, err)
		}
		e, err := entry(r.spy.take()[0])
		if err != nil || e.Actor != "host:0" || e.User != p.id || e.Refused {
			t.Errorf("entry %+v: %v", e, err)
		}
		if m := r.letter(p.email, outbox.Recover); m.Facts.By == "" || m.Facts.Code != "" {
			t.Errorf("the mail says %+v", m.Facts)
		}
		r.live(t, in.Cookie)
		link, until, err := r.RecoverUser(t.Context(), operator, p.id, true)
		if err != nil || !strings.HasPrefix(link, issuer+"/recover/link?t=") || !until.Equal(r.clock.now().Truncate(time.Microsecond).Add(time.Hour)) {
			t.Fatalf("link %q until %v: %v", link, until, err)
		}
		_, tok, _ := strings.Cut(link, "?t=")
		r.clock.add(59 * time.Minute)
		if _, err := r.RecoverByLink(t.Context(), home, tok, after); err != nil {
			t.Error(err)
		}
		_, _, err = r.RecoverUser(t.Context(), operator, identity.UserID{9}, true)
		refused(t, err, "user.found")
		r.pause(t, p)
		_, _, err = r.RecoverUser(t.Context(), operator, p.id, true)
		refused(t, err, "user.active")
	}, lifetimes(mails))
}

func TestWithoutMailRecoveryIsByOperators(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		_, _, err := r.RecoverUser(t.Context(), settle.Caller{Actor: "host:0"}, p.id, false)
		refused(t, err, "recover.reaches")
		if _, _, err := r.RecoverUser(t.Context(), settle.Caller{Actor: "host:0"}, p.id, true); err != nil {
			t.Error(err)
		}
	})
}

// A sign-in with the old password that races a recovery leaves no session.
func TestRecoveryAgainstSignIn(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		x := r.race(t, lifetimes(mails))
		seen := map[string]int{}
		for round := range min(signInRounds, 30) {
			p := r.person()
			id := x.nodes[0].asks(t, elsewhere(round), p.email)
			right, err := x.nodes[0].RecoverByCode(t.Context(), elsewhere(round), id, r.letter(p.email, outbox.Recover).Facts.Code, hers, after)
			if err != nil {
				t.Fatal(err)
			}
			var out exchange.Tokens
			x.run(round%2 == 0, [2]func(*node){
				func(n *node) {
					var err error
					out, err = n.Password(t.Context(), elsewhere(round), exchange.PasswordInput{Email: p.email, Password: password})
					seen[named(err)]++
				},
				func(n *node) {
					if err := n.ChoosePassword(t.Context(), elsewhere(round), right, after, newPassword); err != nil {
						t.Errorf("choose: %v", err)
					}
				},
			})
			x.gone(t, p, out)
		}
		t.Logf("sign-ins: %v", seen)
		x.told(t)
	}, lifetimes(mails))
}

// Of two passwords chosen at once one counts.
func TestTwoPasswordsChosenAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		p := r.person()
		id := one.asks(t, home, p.email)
		m := r.letter(p.email, outbox.Recover)
		rights, errs := make([]token.OnceID, 2), make([]error, 2)
		together(2, func(i int) {
			if i == 0 {
				rights[i], errs[i] = one.RecoverByCode(t.Context(), home, id, m.Facts.Code, hers, after)
			} else {
				rights[i], errs[i] = two.RecoverByLink(t.Context(), home, tokenOf(m), after)
			}
		})
		won := -1
		for i, err := range errs {
			if err == nil && won >= 0 {
				t.Error("code and link were both taken")
			} else if err == nil {
				won = i
			} else {
				refused(t, err, "once.unspent")
			}
		}
		if won < 0 {
			t.Fatal("neither was taken")
		}
		passed := 0
		choices := []string{newPassword, "another long enough password"}
		together(2, func(i int) {
			errs[i] = []*node{one, two}[i].ChoosePassword(t.Context(), home, rights[won], after, choices[i])
		})
		for i, err := range errs {
			_, in := one.Password(t.Context(), elsewhere(i), exchange.PasswordInput{Email: p.email, Password: choices[i]})
			if err == nil {
				passed++
				if in != nil {
					t.Errorf("the password that was taken: %v", in)
				}
			} else if refused(t, err, "recover.proved"); in == nil {
				t.Error("the password that was refused opens")
			}
			r.clock.add(time.Minute)
		}
		if passed != 1 {
			t.Errorf("%d passed: %v", passed, errs)
		}
	}, lifetimes(mails))
}
