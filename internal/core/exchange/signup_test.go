package exchange_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// open lets everybody make an account, and sends mail.
func open(s *setup) {
	s.policy.Mail, s.policy.PasswordMin, s.policy.SignUp = true, 15, identity.Admission{Open: true}
}

// A hand is a browser: the key that its forms are bound to.
func hand() []byte { k := secret.Random(); return k[:] }

// mailed are the messages that wait in the outbox, the oldest first.
func (r *rig) mailed() (out []outbox.Message) {
	r.t.Helper()
	for _, w := range read(r.t, r.store, func(v core.View) []outbox.Waiting { return v.Outbox(r.clock.now(), 1000) }) {
		m, err := w.Open(r.ring.Mail)
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b outbox.Message) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out
}

// lastMail is the newest message to an address. The next one is newer.
func (r *rig) lastMail(to string) outbox.Message {
	r.t.Helper()
	r.clock.add(time.Millisecond)
	for _, m := range slices.Backward(r.mailed()) {
		if m.To == to {
			return m
		}
	}
	r.t.Fatalf("no mail to %s: %+v", to, r.mailed())
	return outbox.Message{}
}

// linkOf is the token of a mail's link.
func linkOf(t testing.TB, m outbox.Message) string {
	t.Helper()
	_, link, ok := strings.Cut(m.Facts.Link, "?t=")
	if !ok {
		t.Fatalf("the mail has no link: %+v", m)
	}
	return link
}

// signUp asks for an account, which must be taken.
func (n *node) signUp(t *testing.T, email string, browser []byte) token.OnceID {
	t.Helper()
	id, err := n.SignUp(t.Context(), home, exchange.SignUpInput{Email: email, Name: "Mallory", Password: password, Browser: browser})
	if err != nil {
		t.Fatalf("sign-up: %v", err)
	}
	return id
}

func (n *node) confirmCode(t *testing.T, id token.OnceID, code string, browser []byte) (exchange.Tokens, error) {
	return n.ConfirmCode(t.Context(), home, exchange.ConfirmInput{OnceRef: exchange.OnceRef{ID: id, Browser: browser}, Code: code})
}

func (n *node) confirmLink(t *testing.T, link string, browser []byte, pw string) (exchange.Tokens, error) {
	return n.ConfirmLink(t.Context(), home, exchange.ConfirmInput{OnceRef: exchange.OnceRef{Link: link, Browser: browser}, Password: pw})
}

func (r *rig) userOf(email string) identity.User {
	r.t.Helper()
	return read(r.t, r.store, func(v core.View) identity.User { return v.UserByAddress(email) })
}

func TestSignUpByCode(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		b := hand()
		id := r.signUp(t, "Ana@Example.com", b)
		if n := r.count(`select count(*) from users`); n != 0 {
			t.Fatalf("IDN-01: %d people before an address was proved", n)
		}
		m := r.lastMail("Ana@Example.com")
		if m.Kind != outbox.ConfirmAddress || m.Facts.Name != "" || !m.Expires.Equal(m.Created.Add(20*time.Minute)) {
			t.Errorf("the mail is %+v", m)
		}
		out, err := r.confirmCode(t, id, m.Facts.Code[:4]+" "+m.Facts.Code[4:], b)
		if err != nil {
			t.Fatal(err)
		}
		u := r.live(t, out.Cookie).User
		if u.Email != "Ana@Example.com" || u.Address != "ana@example.com" || u.Name != "Mallory" || !u.Verified || u.Admin || out.User.ID != u.ID {
			t.Errorf("the person is %+v", u)
		}
		if c := r.inspected(t, out.Access); c.Subject != u.ID.String() || c.Session != out.Session.ID.String() || !slices.Equal(c.AMR, []string{"pwd"}) {
			t.Errorf("the claims are %+v", c)
		}
		r.refresh(t, out.Refresh)
		r.signIn(t, person{u.ID, "ana@example.com"})

		_, err = r.confirmCode(t, id, m.Facts.Code, b)
		refused(t, err, "once.unspent")
		_, err = r.confirmLink(t, linkOf(t, m), b, "")
		refused(t, err, "once.unspent")
		e := read(t, r.store, func(v core.View) []ledger.Entry { return v.EntriesOf(out.Session.ID, 10) })
		if !slices.ContainsFunc(e, func(e ledger.Entry) bool { return e.Exchange.Name == "signup.code" && e.User == u.ID && !e.Refused }) {
			t.Errorf("the ledger has %+v", e)
		}
	}, open)
}

func TestSignUpByLinkWhereItWasAsked(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		b := hand()
		r.signUp(t, "ana@example.com", b)
		link := linkOf(t, r.lastMail("ana@example.com"))
		for range 50 {
			w, err := r.Waiting(t.Context(), token.ForSignUp, exchange.OnceRef{Link: link, Browser: b})
			if err != nil || w.State != token.OnceGood || !w.Here || w.Email != "ana@example.com" {
				t.Fatalf("looking at the link: %+v, %v", w, err)
			}
		}
		out, err := r.confirmLink(t, link, b, "")
		if err != nil {
			t.Fatal(err)
		}
		r.signIn(t, person{out.User.ID, "ana@example.com"}) // with the password that was asked with
	}, open)
}

// Attack IDN-01: Mallory asks for an account with Ana's address and a password
// of their own. Ana opens the link; nothing of Mallory's is left in her account.
func TestWhoOwnsTheMailboxChoosesThePassword(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		mallory := hand()
		id := r.signUp(t, "ana@example.com", mallory)
		m := r.lastMail("ana@example.com")
		_, err := r.confirmLink(t, linkOf(t, m), hand(), "")
		refused(t, err, "password.good")
		_, err = r.confirmLink(t, linkOf(t, m), nil, "ana@example.com")
		refused(t, err, "password.good")
		out, err := r.confirmLink(t, linkOf(t, m), hand(), "a boat under the bridge")
		if err != nil {
			t.Fatal(err)
		}
		if u := r.userOf("ana@example.com"); u.Name != "" {
			t.Errorf("the account has the name %q that a stranger chose", u.Name)
		}
		_, err = r.Password(t.Context(), home, exchange.PasswordInput{Email: "ana@example.com", Password: password})
		refused(t, err, "password.fits")
		r.clock.add(time.Minute)
		if _, err := r.Password(t.Context(), home, exchange.PasswordInput{Email: "ana@example.com", Password: "a boat under the bridge"}); err != nil {
			t.Errorf("Ana's password: %v", err)
		}
		_, err = r.confirmCode(t, id, m.Facts.Code, mallory)
		refused(t, err, "once.unspent")
		if n := r.count(`select count(*) from sessions`); n != 2 {
			t.Errorf("%d sessions, want Ana's two", n)
		}
		r.live(t, out.Cookie)
	}, open)
}

// Attack SES-01: a code belongs to the browser that asked, and an id shows
// nothing to another.
func TestACodeWorksInItsBrowserAlone(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		b := hand()
		id := r.signUp(t, "ana@example.com", b)
		code := r.lastMail("ana@example.com").Facts.Code
		for _, other := range [][]byte{hand(), nil, make([]byte, 32)} {
			_, err := r.confirmCode(t, id, code, other)
			refused(t, err, "once.browser")
			w, err := r.Waiting(t.Context(), token.ForSignUp, exchange.OnceRef{ID: id, Browser: other})
			if err != nil || w != (exchange.Waiting{}) {
				t.Errorf("another browser sees %+v, %v", w, err)
			}
			_, err = r.SignUpAgain(t.Context(), home, exchange.OnceRef{ID: id, Browser: other})
			refused(t, err, "once.browser")
		}
		if o := read(t, r.store, func(v core.View) token.Once { return v.Once(id) }); o.Tries != 0 {
			t.Errorf("another browser used up %d tries", o.Tries)
		}
		if _, err := r.confirmCode(t, id, code, b); err != nil {
			t.Error(err)
		}
	}, open)
}

// Attack REC-09: of many guesses at once, on two nodes and from as many
// networks, five are compared.
func TestGuessesOfACodeAreCounted(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		b := hand()
		id := r.signUp(t, "ana@example.com", b)
		code := r.lastMail("ana@example.com").Facts.Code
		nodes := [2]*node{r.node, r.open(open)}
		nodes[0].warm(t)
		nodes[1].warm(t)
		var compared atomic.Int32
		together(100, func(i int) {
			_, err := nodes[i%2].ConfirmCode(t.Context(), elsewhere(i), exchange.ConfirmInput{OnceRef: exchange.OnceRef{ID: id, Browser: b}, Code: fmt.Sprintf("%08d", i)})
			switch got := named(err); got {
			case "once.fits":
				compared.Add(1)
			case "once.tries", "unavailable":
			default:
				t.Errorf("refused by %s", got)
			}
		})
		if n := compared.Load(); n != token.CodeTries {
			t.Errorf("%d guesses were compared", n)
		}
		_, err := r.confirmCode(t, id, code, b)
		refused(t, err, "once.tries")
	}, open)
}

// Attacks ENM-01 and ENM-02: with an account, without one, or with a paused
// one, the same is answered, written and hashed; the mail alone differs.
func TestSignUpTellsNobodyWhoHasAnAccount(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		known, stopped := r.person(), r.person()
		r.pause(t, stopped)
		var kinds [][]string
		for _, c := range []struct {
			email string
			mail  outbox.Kind
		}{{"nobody@example.com", outbox.ConfirmAddress}, {known.email, outbox.AccountExists}, {stopped.email, outbox.AccountExists}} {
			r.spy.take()
			b := hand()
			id := r.signUp(t, c.email, b)
			m := r.lastMail(c.email)
			if m.Kind != c.mail || c.mail == outbox.AccountExists && (m.Facts.Code != "" || m.Facts.Link != "/sign-in") {
				t.Errorf("%s gets %+v", c.email, m)
			}
			// No guess fits where there is an account, however lucky.
			if o := read(t, r.store, func(v core.View) token.Once { return v.Once(id) }); (o.Code == [32]byte{}) != (c.mail == outbox.AccountExists) {
				t.Errorf("%s: the code that is kept: %x", c.email, o.Code)
			}
			w, err := r.Waiting(t.Context(), token.ForSignUp, exchange.OnceRef{ID: id, Browser: b})
			if err != nil || w.State != token.OnceGood || !w.Here || w.Email != c.email {
				t.Errorf("%s: the page shows %+v, %v", c.email, w, err)
			}
			for range token.CodeTries {
				_, err = r.confirmCode(t, id, "0000 0000", b)
				refused(t, err, "once.fits")
			}
			_, err = r.confirmCode(t, id, "0000 0000", b)
			refused(t, err, "once.tries")
			r.clock.add(time.Second)
			if _, err = r.SignUpAgain(t.Context(), home, exchange.OnceRef{ID: id, Browser: b}); err != nil {
				t.Errorf("%s: again: %v", c.email, err)
			}
			if m := r.lastMail(c.email); m.Kind != c.mail {
				t.Errorf("%s gets %+v again", c.email, m)
			}
			kinds = append(kinds, writes(r.spy.take()))
		}
		if !slices.Equal(kinds[0], kinds[1]) || !slices.Equal(kinds[0], kinds[2]) {
			t.Errorf("the writes are\n%v\n%v\n%v", kinds[0], kinds[1], kinds[2])
		}
		if n := r.count(`select count(*) from once where length(body) > 50`); n != 3 {
			t.Errorf("%d wishes are kept", n)
		}
	}, open, func(s *setup) { s.policy.Scale = 1000 })
}

// writes names what units changed, in order.
func writes(units []core.Unit) (out []string) {
	for _, u := range units {
		for _, w := range u {
			out = append(out, reflect.TypeOf(w).String())
		}
	}
	return out
}

// Attack MFA-18: the policy is judged where accounts are made, at the start
// and at the end.
func TestSignUpAsksThePolicyTwice(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		b := hand()
		id := r.signUp(t, "ana@example.com", b)
		m := r.lastMail("ana@example.com")
		for name, c := range map[string]struct {
			admission identity.Admission
			mail      bool
			check     string
		}{
			"closed":        {identity.Admission{}, true, "signup.open"},
			"without mail":  {identity.Admission{Open: true}, false, "signup.open"},
			"other domains": {identity.Admission{Domains: []string{"example.org"}}, true, "signup.domain"},
		} {
			n := r.on(r.store, open, func(s *setup) { s.policy.SignUp, s.policy.Mail = c.admission, c.mail })
			_, err := n.SignUp(t.Context(), home, exchange.SignUpInput{Email: "ben@example.com", Password: password, Browser: b})
			refused(t, err, c.check)
			_, err = n.confirmCode(t, id, m.Facts.Code, b)
			refused(t, err, c.check)
			_, err = n.confirmLink(t, linkOf(t, m), b, "")
			refused(t, err, c.check)
			if c.check == "signup.open" {
				_, err = n.SignUpAgain(t.Context(), home, exchange.OnceRef{ID: id, Browser: b})
				refused(t, err, c.check)
			}
			if n.SignsUp() != (name == "other domains") {
				t.Errorf("%s: sign-up is offered: %v", name, n.SignsUp())
			}
		}
		if n := r.count(`select count(*) from users`); n != 0 {
			t.Errorf("%d people", n)
		}
		n := r.on(r.store, open, func(s *setup) { s.policy.SignUp = identity.Admission{Domains: []string{"example.com"}} })
		if _, err := n.confirmCode(t, id, m.Facts.Code, b); err != nil {
			t.Errorf("the right domain: %v", err)
		}
	}, open)
}

// Attacks REC-06 and IDN-15: one address, in one spelling, of one script.
func TestSignUpTakesOneAddress(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for _, bad := range []string{"a@x.example,v@y.example", "a@x.example;v@y.example", "a@x.example v@y.example", "a@x.example%2cv@y.example", "аdmin@example.com",
			"ᴬdmin@example.com", "admin\u200b@example.com", "ａdmin@example.com", "admin @example.com", `"a b"@example.com`, "mi\u212ae@example.com", ""} {
			_, err := r.SignUp(t.Context(), home, exchange.SignUpInput{Email: bad, Password: password, Browser: hand()})
			refused(t, err, "address.form")
		}
		if n := len(r.mailed()); n != 0 {
			t.Errorf("%d mails", n)
		}
		for _, weak := range []string{"short", "example@example.com", strings.Repeat("x", 2000), "1234567890123456"} {
			_, err := r.SignUp(t.Context(), home, exchange.SignUpInput{Email: "example@example.com", Password: weak, Browser: hand()})
			refused(t, err, "password.good")
		}
		// Letters of another size are the same address, and the newest wish counts.
		first, second := hand(), hand()
		id := r.signUp(t, "Admin@example.com", first)
		code := r.lastMail("Admin@example.com").Facts.Code
		r.clock.add(time.Second)
		id2 := r.signUp(t, "aDMIN@example.com", second)
		_, err := r.confirmCode(t, id, code, first)
		refused(t, err, "once.known")
		if _, err := r.confirmCode(t, id2, r.lastMail("aDMIN@example.com").Facts.Code, second); err != nil {
			t.Fatal(err)
		}
		r.clock.add(time.Second)
		r.signUp(t, "ADMIN@example.com", hand())
		if m := r.lastMail("aDMIN@example.com"); m.Kind != outbox.AccountExists {
			t.Errorf("the mail is %+v", m)
		}
	}, open)
}

// Attack DOS-12: mails to an address, from a network, and accounts asked for
// from a network are counted for all nodes.
func TestSignUpsAreFew(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		nodes := [2]*node{r.node, r.open(open)}
		ask := func(i int, by settle.Caller, email string) error {
			_, err := nodes[i%2].SignUp(t.Context(), by, exchange.SignUpInput{Email: email, Password: password, Browser: hand()})
			return err
		}
		for i := range 3 {
			if err := ask(i, elsewhere(i), "ana@example.com"); err != nil {
				t.Fatal(err)
			}
		}
		if e := refused(t, ask(3, elsewhere(3), "ana@example.com"), "limit.mails"); e.RetryAfter <= 0 {
			t.Errorf("no wait: %+v", e)
		}
		for i := range 5 {
			if err := ask(i, home, fmt.Sprintf("p%d@example.com", i)); err != nil {
				t.Fatal(err)
			}
		}
		if e := refused(t, ask(5, home, "p5@example.com"), "limit.sign_ups"); e.RetryAfter <= 0 || e.RetryAfter > time.Hour {
			t.Errorf("the wait is %v", e.RetryAfter)
		}
		if n := len(r.mailed()); n != 8 {
			t.Errorf("%d mails, want 8", n)
		}
		r.clock.add(time.Hour)
		if err := ask(6, home, "p5@example.com"); err != nil {
			t.Error(err)
		}
	}, open)
}

func TestSignUpEndsInTime(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		b := hand()
		id := r.signUp(t, "ana@example.com", b)
		m := r.lastMail("ana@example.com")
		r.clock.add(10 * time.Minute)
		_, err := r.confirmCode(t, id, m.Facts.Code, b)
		refused(t, err, "once.in_time")
		r.clock.add(10 * time.Minute)
		_, err = r.confirmLink(t, linkOf(t, m), b, "")
		refused(t, err, "once.in_time")

		// From the mailbox a new mail can be asked for; both of its ways work, the old ones never again.
		id2, err := r.SignUpAgain(t.Context(), home, exchange.OnceRef{Link: linkOf(t, m)})
		if err != nil {
			t.Fatal(err)
		}
		m2 := r.lastMail("ana@example.com")
		_, err = r.confirmLink(t, linkOf(t, m), b, "")
		refused(t, err, "once.known")
		if _, err := r.confirmCode(t, id2, m2.Facts.Code, b); err != nil {
			t.Fatal(err)
		}
		_, err = r.SignUpAgain(t.Context(), home, exchange.OnceRef{Link: linkOf(t, m2)})
		refused(t, err, "once.unspent")

		id = r.signUp(t, "ben@example.com", b)
		r.clock.add(24 * time.Hour)
		_, err = r.SignUpAgain(t.Context(), home, exchange.OnceRef{ID: id, Browser: b})
		refused(t, err, "once.in_time")
		_, err = r.SignUpAgain(t.Context(), home, exchange.OnceRef{Link: "nonsense"})
		refused(t, err, "once.known")
	}, open)
}

// Of many who confirm at once, one makes the account, whatever proves it; an
// operator may be faster than all.
func TestOneAccountIsMade(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		b := hand()
		id := r.signUp(t, "ana@example.com", b)
		m := r.lastMail("ana@example.com")
		nodes := [2]*node{r.node, r.open(open)}
		nodes[0].warm(t)
		nodes[1].warm(t)
		var made atomic.Int32
		together(40, func(i int) {
			n, in := nodes[i%2], exchange.ConfirmInput{OnceRef: exchange.OnceRef{ID: id, Browser: b}, Code: m.Facts.Code}
			confirm := n.ConfirmCode
			if i%4 < 2 {
				in.Link, confirm = linkOf(t, m), n.ConfirmLink
			}
			_, err := confirm(t.Context(), elsewhere(i), in)
			if err == nil {
				made.Add(1)
				return
			}
			if got := named(err); got != "once.unspent" && got != "address.free" && got != "unavailable" {
				t.Errorf("refused by %s", got)
			}
		})
		if n := r.count(`select count(*) from users`); made.Load() != 1 || n != 1 {
			t.Errorf("%d made, %d people", made.Load(), n)
		}

		id = r.signUp(t, "ben@example.com", b)
		m = r.lastMail("ben@example.com")
		if _, err := r.manage.CreateUser(t.Context(), settle.Caller{Actor: "host:0"}, manage.NewUser{Email: "ben@example.com"}); err != nil {
			t.Fatal(err)
		}
		_, err := r.confirmCode(t, id, m.Facts.Code, b)
		refused(t, err, "address.free")
		_, err = r.confirmLink(t, linkOf(t, m), b, "")
		refused(t, err, "address.free")
	}, open)
}

// Who is signed in as somebody else stays so.
func TestConfirmingApartStartsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		ana := r.seat(r.person())
		r.signUp(t, "ben@example.com", hand())
		out, err := r.ConfirmLink(t.Context(), home, exchange.ConfirmInput{OnceRef: exchange.OnceRef{Link: linkOf(t, r.lastMail("ben@example.com"))},
			Password: "a boat under the bridge", Replaces: ana.Cookie, Apart: true})
		if err != nil || out.Cookie != "" || out.Refresh != "" || out.Access != "" || out.User.Email != "ben@example.com" {
			t.Errorf("gives %+v, %v", out, err)
		}
		r.live(t, ana.Cookie)
		if n := r.count(`select count(*) from sessions`); n != 1 {
			t.Errorf("%d sessions", n)
		}
	}, open)
}
