package exchange_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
)

// week is how long an account can be kept.
const week = 7 * day

func restless(context.Context) error { return nil }

// sweeps does what a node does each minute.
func (n *node) sweeps(t *testing.T) {
	t.Helper()
	if err := n.Delete(t.Context(), restless); err != nil {
		t.Fatal(err)
	}
}

// wantsGone asks for the deletion of an account, which must be answered.
func (n *node) wantsGone(t *testing.T, cookie string) time.Time {
	t.Helper()
	at, err := n.AskDeletion(t.Context(), home, cookie)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// makeAdmin gives a person the role.
func (r *rig) makeAdmin(p person) {
	r.t.Helper()
	if err := r.manage.Appoint(r.t.Context(), settle.Caller{Actor: "host:0"}, p.id); err != nil {
		r.t.Fatal(err)
	}
}

// personal lists the entries of a person whose personal fields are kept.
func (r *rig) personal(p person) (out []ledger.Entry) {
	r.t.Helper()
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		all := read(r.t, r.store, func(v core.View) []ledger.Entry {
			return v.EntriesPast(ledger.Past{Subject: p.id, Chain: chain, Limit: 1000})
		})
		out = append(out, slices.DeleteFunc(all, func(e ledger.Entry) bool { return e.Personal == ledger.Personal{} })...)
	}
	return out
}

// Attacks SES-11, OAU-12 and IDN-10: an account that was to be deleted works
// for a week, to the microsecond; then everything of it is dead on every node,
// the address is free, and what hung on the account is gone.
func TestAnAccountIsDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		p, other := r.person(), r.person()
		held := []exchange.Tokens{one.signIn(t, p), two.signIn(t, p), one.signIn(t, p)}
		his := one.signIn(t, other)
		operator, verified := from("198.51.100.99"), true
		operator.Actor = "host:0"
		if err := one.manage.EditUser(t.Context(), operator, p.id, nil, &verified); err != nil {
			t.Fatal(err)
		}
		at := one.wantsGone(t, held[0].Cookie)
		if !at.Equal(r.clock.now().Add(week)) || !r.user(p).DeleteAt.Equal(at) {
			t.Fatalf("to be deleted at %v", at)
		}
		m := r.letter(p.email, outbox.DeletionAsked)
		if !m.Facts.Until.Equal(at) || m.Facts.Link == "" || m.Facts.IP == "" {
			t.Errorf("the mail says %+v", m.Facts)
		}
		// Asking again moves nothing.
		r.clock.add(day)
		if again, err := one.AskDeletion(t.Context(), home, held[0].Cookie); named(err) != "session.fresh" || !again.IsZero() {
			t.Errorf("without a fresh proof: %v", err)
		}
		fresh := two.signIn(t, p)
		if again := two.wantsGone(t, fresh.Cookie); !again.Equal(at) {
			t.Errorf("asked again, it is %v", again)
		}
		r.clock.add(week - day - time.Microsecond)
		two.sweeps(t)
		late := one.signIn(t, p)
		if leaving, err := one.Leaving(t.Context(), one.live(t, late.Cookie)); err != nil || !leaving.Equal(at) {
			t.Errorf("the account says %v (%v)", leaving, err)
		}
		r.clock.add(time.Microsecond)
		two.sweeps(t)
		u := r.user(p)
		if u.State != identity.Deleted || u.Exists() || u.Email != "" || u.Name != "" || u.Admin {
			t.Fatalf("what is left is %+v", u)
		}
		if !slices.ContainsFunc(r.events(), func(e revocation.Event) bool {
			return e.Name == revocation.Name{Unit: revocation.User, ID: p.id.String()}
		}) {
			t.Error("the feed does not say so")
		}
		one.catchUp(t)
		for _, n := range []*node{one, two} {
			for _, of := range append(held, fresh, late) {
				if _, err := n.Cookie(t.Context(), of.Cookie); err == nil {
					t.Error("SES-11: a cookie outlives its account")
				}
				if _, err := n.Refresh(t.Context(), home, exchange.RefreshInput{Token: of.Refresh}); err == nil {
					t.Error("OAU-12: a refresh token outlives its account")
				}
			}
			n.accessRefused(t, late.Access, "token.alive")
			r.clock.add(time.Minute)
			_, err := n.Password(t.Context(), elsewhere(3), exchange.PasswordInput{Email: p.email, Password: password})
			refused(t, err, "user.known")
			_, err = n.LookAtDeletion(t.Context(), tokenOf(m))
			refused(t, err, "once.known")
			n.live(t, his.Cookie)
		}
		if gone := r.letter(p.email, outbox.Deleted); gone.User != p.id {
			t.Errorf("the mail is of %v", gone.User)
		}
		v := read(t, r.store, func(v core.View) []any {
			return []any{v.Sessions(session.Query{User: p.id, Limit: 10}), v.Password(p.id), v.Devices(p.id, 10), v.Deleted(10), len(v.Sessions(session.Query{User: other.id, Limit: 10}))}
		})
		if len(v[0].([]session.Session)) != 0 || len(v[2].([]session.Device)) != 0 || len(v[3].([]identity.UserID)) != 0 || v[4] != 1 {
			t.Errorf("left behind: %+v", v)
		}
		if n := r.count(`select count(*) from families`); n != 1 {
			t.Errorf("%d refresh families are left", n)
		}
		if n := r.count(`select count(*) from once where use = 8`); n != 0 {
			t.Errorf("%d links that keep an account are left", n)
		}
		// The ledger goes on telling what happened, and to nobody from where.
		// What an operator did to the account stays as it was.
		for _, e := range r.personal(p) {
			if e.Actor == "" && e.At.Before(at) {
				t.Errorf("%s at %v still says %+v", e.Exchange.Name, e.At, e.Personal)
			}
		}
		if !slices.ContainsFunc(r.personal(p), func(e ledger.Entry) bool { return e.Exchange.Name == "user.edit" && e.Personal.IP == "198.51.100.99" }) {
			t.Error("an operator's entry lost what it said of the operator")
		}
		if len(r.personal(other)) == 0 {
			t.Error("another person's entries lost what they say")
		}
		// Who looks at what happened is in the ledger with whom it was about.
		if err := one.Looked(t.Context(), settle.Caller{Actor: "host:0"}, p.id, session.ID{}); err != nil {
			t.Error(err)
		}
		about := read(t, r.store, func(v core.View) []ledger.Entry {
			return v.EntriesPast(ledger.Past{Subject: p.id, Chain: ledger.Audit, Limit: 1})
		})
		if len(about) != 1 || about[0].Exchange.Name != "person.explained" || about[0].Refused {
			t.Errorf("of who looked the ledger says %+v", about)
		}
		// The address is anybody's; the id is nobody's.
		again, err := one.manage.CreateUser(t.Context(), settle.Caller{Actor: "host:0"}, manage.NewUser{Email: p.email})
		if err != nil || again.ID == p.id {
			t.Errorf("the address is not free: %v", err)
		}
		for _, email := range []string{u.Address, identity.Gone(p.id)} {
			if found, err := one.manage.FindUser(t.Context(), email); err == nil {
				t.Errorf("%q finds %+v", email, found)
			}
		}
		if found, err := one.manage.FindUser(t.Context(), p.id.String()); err != nil || found.State != identity.Deleted {
			t.Errorf("the id finds %+v (%v)", found, err)
		}
		for name, act := range map[string]func(context.Context, settle.Caller, identity.UserID) error{
			"pause": one.manage.PauseUser, "restore": one.manage.RestoreUser, "appoint": one.manage.Appoint, "dismiss": one.manage.Dismiss, "delete": one.DeleteUser,
		} {
			if err := act(t.Context(), settle.Caller{Actor: "host:0"}, p.id); named(err) != "user.found" {
				t.Errorf("IDN-10: %s: %v", name, err)
			}
		}
		_, _, err = one.manage.ImportUser(t.Context(), settle.Caller{Actor: "host:0"}, manage.Moved{ID: p.id, Email: "third@example.com"}, false)
		refused(t, err, "import.id")
	}, lifetimes(mails))
}

// An account is kept from within, by the mail, by who disowns the sign-in that
// asked, and by who takes a change of its address back.
func TestAnAccountIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.signIn(t, p)
		kept := func(how string) {
			t.Helper()
			if u := r.user(p); !u.DeleteAt.IsZero() {
				t.Errorf("%s: still to be deleted at %v", how, u.DeleteAt)
			}
			r.clock.add(8 * day)
			r.sweeps(t)
			if u := r.user(p); u.State != identity.Active {
				t.Fatalf("%s: deleted all the same", how)
			}
		}
		r.wantsGone(t, in.Cookie)
		first := r.letter(p.email, outbox.DeletionAsked)
		for range 2 { // pressed twice
			if err := r.KeepAccount(t.Context(), home, in.Cookie); err != nil {
				t.Fatal(err)
			}
		}
		kept("from within")
		refused(t, r.CancelDeletion(t.Context(), home, tokenOf(first)), "once.unspent")

		in = r.signIn(t, p)
		r.wantsGone(t, in.Cookie)
		m := r.letter(p.email, outbox.DeletionAsked)
		if _, err := r.EndOthers(t.Context(), home, exchange.Credential{Cookie: in.Cookie}, true); err != nil {
			t.Fatal(err) // whoever asked cuts the rest off, which leaves the link alone
		}
		for range 20 { // scanners of mail
			if email, err := r.LookAtDeletion(t.Context(), tokenOf(m)); err != nil || email != p.email {
				t.Fatalf("looking at %q: %v", email, err)
			}
		}
		if r.user(p).DeleteAt.IsZero() {
			t.Error("looking keeps the account")
		}
		_, err := r.LookAtUndo(t.Context(), tokenOf(m))
		refused(t, err, "once.known") // OAU-16
		if err := r.CancelDeletion(t.Context(), elsewhere(1), tokenOf(m)); err != nil {
			t.Fatal(err)
		}
		refused(t, r.CancelDeletion(t.Context(), elsewhere(1), tokenOf(m)), "once.unspent")
		kept("by the mail")

		// Somebody gets in, moves the account to their mailbox, and has it deleted.
		in = r.signIn(t, p)
		id := r.moves(t, in.Cookie, "evil@example.org")
		if err := r.AddressByCode(t.Context(), home, in.Cookie, id, r.letter("evil@example.org", outbox.ConfirmNewAddress).Facts.Code, hers); err != nil {
			t.Fatal(err)
		}
		r.wantsGone(t, in.Cookie)
		if err := r.UndoAddress(t.Context(), home, tokenOf(r.letter(p.email, outbox.AddressChanging))); err != nil {
			t.Fatal(err)
		}
		kept("by the old mailbox")
	}, lifetimes(mails))
}

// The last administrator's account stays, whoever asks and whenever: asked for,
// due, and by an operator; of two who go at the same time one stays.
func TestTheLastAdministratorStays(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, q := r.person(), r.person()
		r.makeAdmin(p)
		host := settle.Caller{Actor: "host:0"}
		in := r.signIn(t, p)
		_, err := r.AskDeletion(t.Context(), home, in.Cookie)
		refused(t, err, "admin.not_last")
		refused(t, r.DeleteUser(t.Context(), host, p.id), "admin.not_last")
		r.makeAdmin(q)
		at := r.wantsGone(t, in.Cookie)
		if err := r.manage.Dismiss(t.Context(), host, q.id); err != nil {
			t.Fatal(err)
		}
		r.clock.add(week)
		for range 3 { // looked at once a day, and so in the ledger
			r.sweeps(t)
		}
		if u := r.user(p); u.State != identity.Active || !u.DeleteAt.Equal(at.Add(day)) {
			t.Errorf("the last administrator is %+v", u)
		}
		r.makeAdmin(q)
		r.clock.add(day)
		r.sweeps(t)
		if u := r.user(p); u.State != identity.Deleted {
			t.Errorf("who is not the last any more is %+v", u)
		}
		third := r.person()
		r.makeAdmin(third)
		var won atomic.Int32
		together(2, func(i int) {
			switch err := r.DeleteUser(t.Context(), host, []person{q, third}[i].id); named(err) {
			case "passed":
				won.Add(1)
			case "admin.not_last":
			default:
				t.Error(err)
			}
		})
		if n := read(t, r.store, core.View.Administrators); won.Load() != 1 || n != 1 {
			t.Errorf("%d were deleted, %d are left", won.Load(), n)
		}
	}, lifetimes(mails))
}

// Of a person who keeps their account and the nodes that delete it at the same
// moment one is right, whole: no kept account lost anything, and no deleted one
// has anything.
func TestKeepingRacesDeleting(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		one, two := r.nodes(lifetimes(mails))
		one.warm(t)
		two.warm(t)
		for round := range 12 {
			p := r.person()
			in := r.seat(p)
			one.wantsGone(t, in.Cookie)
			link := tokenOf(r.letter(p.email, outbox.DeletionAsked))
			r.clock.add(week)
			var kept atomic.Bool
			together(4, func(i int) {
				switch i {
				case 0:
					kept.Store(one.KeepAccount(t.Context(), home, in.Cookie) == nil && !r.user(p).Due(r.clock.now()) && r.user(p).Exists())
				case 1:
					one.sweeps(t)
				case 2:
					two.sweeps(t)
				case 3:
					_ = two.CancelDeletion(t.Context(), elsewhere(round), link)
				}
			})
			u := r.user(p)
			pw := read(t, r.store, func(v core.View) bool { return v.Password(p.id).Exists() })
			alive := r.session(in.Session.ID).Exists()
			one.sweeps(t)
			switch {
			case u.State == identity.Active && pw && alive && u.DeleteAt.IsZero():
				one.catchUp(t)
				one.live(t, in.Cookie)
			case u.State == identity.Deleted && !pw && !kept.Load():
				if r.session(in.Session.ID).Exists() {
					t.Errorf("round %d: a session outlives its account", round)
				}
			default:
				t.Fatalf("round %d: %+v, password %v, session %v, kept %v", round, u, pw, alive, kept.Load())
			}
		}
	}, lifetimes(mails))
}

// A sign-in that races the deletion of its account leaves no session.
func TestSigningInRacesDeleting(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for round := range 6 {
			p := r.person()
			var in exchange.Tokens
			together(2, func(i int) {
				if i == 0 {
					in, _ = r.Password(t.Context(), elsewhere(round), exchange.PasswordInput{Email: p.email, Password: password})
					return
				}
				if err := r.DeleteUser(t.Context(), settle.Caller{Actor: "host:0"}, p.id); err != nil {
					t.Error(err)
				}
			})
			r.sweeps(t)
			if in.Cookie != "" {
				if _, err := r.Cookie(t.Context(), in.Cookie); err == nil {
					t.Errorf("round %d: signed in to an account that is gone", round)
				}
			}
			if n := len(read(t, r.store, func(v core.View) []session.Session { return v.Sessions(session.Query{User: p.id, Limit: 10}) })); n != 0 {
				t.Errorf("round %d: %d sessions are left", round, n)
			}
		}
	})
}
