package exchange_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
)

// hourly are tokens that live for long enough to see keys come and go.
var hourly = lifetimes(func(p *exchange.Policy) { p.Token.Access = time.Hour })

// keysIn are the ids of a purpose's keys in a state.
func (n *node) keysIn(t *testing.T, of key.Purpose, state key.State) (kids []string) {
	t.Helper()
	all, err := n.manage.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Purpose == of && k.State == state {
			kids = append(kids, k.KID)
		}
	}
	return kids
}

func (n *node) current(t *testing.T, of key.Purpose) string {
	t.Helper()
	kids := n.keysIn(t, of, key.Current)
	if len(kids) != 1 {
		t.Fatalf("%s keys in use: %v", of, kids)
	}
	return kids[0]
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Publish, sign, keep, erase: at each step every node verifies what any node
// signed, and the one key follows the other without a gap.
func TestARotationIsSeenByEveryNode(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		other := r.open(hourly)
		p := r.person()
		before := r.signIn(t, p)
		old := r.inspected(t, before.Access).KID
		if err := r.manage.RotateKey(t.Context(), operator, key.Signing, false); err != nil {
			t.Fatal(err)
		}
		next := r.keysIn(t, key.Signing, key.Next)
		if len(next) != 1 {
			t.Fatalf("published: %v", next)
		}
		for _, n := range []*node{r.node, other} {
			eventually(t, "the next key is in the JWKS", func() bool { _, ok := n.keys.Keys.Ring().Verify[next[0]]; return ok })
			if kid := n.inspected(t, n.signIn(t, p).Access).KID; kid != old {
				t.Errorf("signed by %s before its turn", kid)
			}
		}
		r.clock.add(key.Shortly)
		for _, n := range []*node{r.node, other} {
			eventually(t, "the next key signs", func() bool { return n.keys.Keys.Ring().Signer.KID() == next[0] })
		}
		after := other.signIn(t, p)
		for _, n := range []*node{r.node, other} {
			if kid := n.inspected(t, after.Access).KID; kid != next[0] {
				t.Errorf("signed by %s after its turn", kid)
			}
			n.inspected(t, before.Access)
		}
		// What nothing hangs on any more is erased; its name is remembered.
		r.clock.add(48*time.Hour - time.Microsecond)
		if err := r.manage.TurnKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := r.count(`select count(*) from keys where length(sealed) = 0`); n != 0 {
			t.Errorf("%d keys erased too early", n)
		}
		r.clock.add(time.Microsecond)
		if err := r.manage.TurnKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := r.count(`select count(*) from keys where length(sealed) = 0`); n != 1 || !slices.Equal(r.keysIn(t, key.Signing, key.Gone), []string{old}) {
			t.Errorf("%d keys erased, gone: %v", n, r.keysIn(t, key.Signing, key.Gone))
		}
		eventually(t, "the old key leaves the JWKS", func() bool { return len(other.keys.Keys.Ring().Verify) == 1 })
	}, hourly)
}

// Two nodes whose clocks strike at once make one key of each purpose that
// takes turns, and the ledger has one entry of it that passed.
func TestTwoNodesTurnOneKey(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		nodes := []*node{r.node, r.open()}
		for _, n := range nodes {
			n.warm(t)
		}
		r.clock.add(84 * day)
		together(8, func(i int) {
			if err := nodes[i%2].manage.TurnKeys(t.Context()); err != nil {
				t.Error(err)
			}
		})
		for _, of := range []key.Purpose{key.Signing, key.Refresh, key.Opaque, key.Mail, key.Ledger} {
			if next := r.keysIn(t, of, key.Next); len(next) != 1 {
				t.Errorf("%s: %d keys wait", of, len(next))
			}
		}
		for _, of := range []key.Purpose{key.Form, key.Code} {
			if next := r.keysIn(t, of, key.Next); len(next) != 0 {
				t.Errorf("%s: %d keys wait", of, len(next))
			}
		}
		if n := r.count(`select count(*) from keys`); n != 12 {
			t.Errorf("%d keys in all", n)
		}
	})
}

// Security default 3.6, invariant I-21: at once out of the JWKS, everything it
// signed dead, another signs, and nothing takes that back.
func TestACompromisedSigningKeyIsBelievedNoMore(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.apps()
		other := r.open()
		p := r.person()
		in := r.signInFrom(t, p, notesOrigin)
		mine := r.signIn(t, p)
		kid := r.inspected(t, mine.Access).KID
		retire := func(kid string, compromised bool) error {
			return r.manage.RetireKey(t.Context(), operator, kid, compromised)
		}
		refused(t, retire("unknown", true), "key.found")
		if err := retire(kid, true); err != nil {
			t.Fatal(err)
		}
		for _, n := range []*node{r.node, other} {
			eventually(t, "the key is out of the JWKS", func() bool { _, there := n.keys.Keys.Ring().Verify[kid]; return !there })
			n.accessRefused(t, mine.Access, "token.signature")
			got, err := n.Introspect(t.Context(), home, proof("notes"), in.Access)
			inactive(t, "of a compromised key", got, err)
			n.live(t, mine.Cookie)
			fresh := n.signIn(t, p)
			if c := n.inspected(t, fresh.Access); c.KID == kid || c.KID != r.current(t, key.Signing) {
				t.Errorf("signed by %s", c.KID)
			}
		}
		r.refresh(t, mine.Refresh)
		events := slices.DeleteFunc(r.events(), func(e revocation.Event) bool { return e.Name.Unit != "key" })
		if len(events) != 1 || events[0].Name.ID != kid {
			t.Errorf("the feed says %+v", events)
		}
		if n := r.count(`select count(*) from keys where kid = $1 and length(sealed) > 0`, kid); n != 0 {
			t.Error("the private part of a compromised key is still there")
		}
		// Again, and by hand: said already, or not in use.
		if err := retire(kid, true); err != nil || len(r.events()) != 1 {
			t.Errorf("again: %v, %d events", err, len(r.events()))
		}
		refused(t, retire(kid, false), "key.current")
		refused(t, r.manage.RotateKey(t.Context(), operator, key.Form, false), "key.turns")
	})
}

func TestTheNextKeyTakesACompromisedOnesPlace(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		if err := r.manage.RotateKey(t.Context(), operator, key.Signing, false); err != nil {
			t.Fatal(err)
		}
		next := r.keysIn(t, key.Signing, key.Next)[0]
		if err := r.manage.RetireKey(t.Context(), operator, r.current(t, key.Signing), true); err != nil {
			t.Fatal(err)
		}
		if kid := r.keys.Keys.Ring().Signer.KID(); kid != next {
			t.Errorf("%s signs, and %s was published", kid, next)
		}
		// By hand at most four are published.
		for range key.LiveAtMost - 1 {
			if err := r.manage.RotateKey(t.Context(), operator, key.Signing, true); err != nil {
				t.Fatal(err)
			}
			r.clock.add(key.Soon)
		}
		refused(t, r.manage.RotateKey(t.Context(), operator, key.Signing, true), "key.room")
		if err := r.manage.RetireKey(t.Context(), operator, r.current(t, key.Signing), true); err != nil {
			t.Errorf("an emergency waits for room: %v", err)
		}
		r.current(t, key.Signing)
	})
}

// A compromised refresh key: who holds a secret that fits goes on, and a MAC
// alone is no evidence any more, so a forger cannot end families.
func TestACompromisedRefreshKeyEndsNobody(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		first := r.signIn(t, p)
		second := r.refresh(t, first.Refresh)
		third := r.refresh(t, second.Refresh)
		if err := r.manage.RetireKey(t.Context(), operator, r.current(t, key.Refresh), true); err != nil {
			t.Fatal(err)
		}
		r.refreshRefused(t, first.Refresh, "refresh.authentic") // a good MAC, two generations ago
		fourth := r.refresh(t, third.Refresh)
		r.refresh(t, fourth.Refresh)
		if r.family(fourth.Refresh).KeyTag == r.family(r.signIn(t, p).Refresh).KeyTag {
			t.Error("a new family was made under a compromised key")
		}
	})
}

func TestFamiliesOutliveARotation(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.person()
		in := r.signIn(t, p)
		if err := r.manage.RotateKey(t.Context(), operator, key.Refresh, true); err != nil {
			t.Fatal(err)
		}
		r.clock.add(key.Soon)
		eventually(t, "the next key makes families", func() bool {
			keys := r.keys.Keys.Ring().Refresh
			return len(keys) == 2 && keys[1].Tag == r.family(r.signIn(t, p).Refresh).KeyTag
		})
		again := r.refresh(t, in.Refresh)
		if r.family(again.Refresh).KeyTag == r.keys.Keys.Ring().Refresh[1].Tag {
			t.Error("a family changed its key")
		}
	})
}

// Whatever a key is for, one that was compromised has another in its place,
// and its private part is kept only where something still needs it.
func TestEveryPurposeIsReplaced(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		before := *r.keys.Keys.Ring()
		for _, of := range []key.Purpose{key.Signing, key.Refresh, key.Ledger, key.Form, key.Code, key.Mail, key.Opaque} {
			old := r.current(t, of)
			if err := r.manage.RetireKey(t.Context(), operator, old, true); err != nil {
				t.Errorf("%s: %v", of, err)
			}
			if now := r.current(t, of); now == old {
				t.Errorf("%s: the compromised key is still in use", of)
			}
			kept := r.count(`select count(*) from keys where kid = $1 and length(sealed) > 0`, old)
			if needed := of == key.Refresh || of == key.Mail; (kept == 1) != needed {
				t.Errorf("%s: private parts left: %d", of, kept)
			}
		}
		after := r.keys.Keys.Ring()
		if string(before.Form) == string(after.Form) || string(before.Code) == string(after.Code) || before.Ledger.Equal(after.Ledger) || len(after.Verify) != 1 || len(after.Refresh) != 2 || len(after.Opaque) != 1 {
			t.Errorf("the ring did not follow: %d, %d, %d keys", len(after.Verify), len(after.Refresh), len(after.Opaque))
		}
	})
}

// Opaque tokens outlive the turn of their key, and die with a compromised one.
func TestOpaqueTokensAndTheirKeys(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.vault()
		p := r.person()
		before := r.signInFrom(t, p, vaultOrigin)
		old := r.current(t, key.Opaque)
		if err := r.manage.RotateKey(t.Context(), operator, key.Opaque, true); err != nil {
			t.Fatal(err)
		}
		r.clock.add(key.Soon)
		eventually(t, "the next key seals", func() bool {
			keys := r.keys.Keys.Ring().Opaque
			return len(keys) == 2 && keys[1].KID != old
		})
		after := r.signInFrom(t, p, vaultOrigin)
		if a, b := r.inspected(t, before.Access).KID, r.inspected(t, after.Access).KID; a != old || b == old {
			t.Errorf("sealed by %s before and %s after its turn", a, b)
		}
		// The previous one was stolen; what the other sealed stands.
		if err := r.manage.RetireKey(t.Context(), operator, old, true); err != nil {
			t.Fatal(err)
		}
		got, err := r.Introspect(t.Context(), home, proof("vault"), before.Access)
		inactive(t, "of a compromised key", got, err)
		r.inspected(t, after.Access)
		if events := r.events(); len(events) != 1 || events[0].Name != (revocation.Name{Unit: revocation.Key, ID: old}) {
			t.Errorf("the feed says %+v", events)
		}
	})
}

// Segments of every key stay verifiable, also when the private part is gone;
// a compromised key's word counts for what it sealed before.
func TestTheLedgerOutlivesItsKeys(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		seal := func() {
			t.Helper()
			r.signIn(t, r.person())
			if _, err := r.pipe.Seal(t.Context(), ledger.Audit, r.keys.Keys.Ring().Ledger); err != nil {
				t.Fatal(err)
			}
		}
		holds := func(want bool) {
			t.Helper()
			proofs, err := r.manage.VerifyLedger(t.Context())
			if err != nil || (proofs[0].Broken == nil) != want {
				t.Fatalf("broken: %v, %v", proofs[0].Broken, err)
			}
		}
		seal()
		if err := r.manage.RotateKey(t.Context(), operator, key.Ledger, true); err != nil {
			t.Fatal(err)
		}
		r.clock.add(26 * time.Hour)
		if err := errors.Join(r.manage.TurnKeys(t.Context()), r.keys.Read(t.Context())); err != nil {
			t.Fatal(err)
		}
		if n := r.count(`select count(*) from keys where purpose = $1 and length(sealed) = 0 and length(public) > 0`, int(key.Ledger)); n != 1 {
			t.Fatalf("%d old ledger keys are public halves alone", n)
		}
		seal()
		holds(true)
		stolen := r.keys.Keys.Ring().Ledger
		if err := r.manage.RetireKey(t.Context(), operator, r.current(t, key.Ledger), true); err != nil {
			t.Fatal(err)
		}
		seal()
		holds(true)
		r.clock.add(time.Hour)
		r.signIn(t, r.person())
		if _, err := r.pipe.Seal(t.Context(), ledger.Audit, stolen); err != nil {
			t.Fatal(err)
		}
		holds(false)
	})
}

func TestWaitingMailsAreReadAfterARotation(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		box := r.keys.Keys.Ring().Mail.Seal("a mail", []byte("hello"))
		for range 2 {
			if err := r.manage.RotateKey(t.Context(), operator, key.Mail, true); err != nil {
				t.Fatal(err)
			}
			r.clock.add(key.Soon)
			if err := r.keys.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.manage.RetireKey(t.Context(), operator, r.current(t, key.Mail), true); err != nil {
			t.Fatal(err)
		}
		if plain, err := r.keys.Keys.Ring().Mail.Open("a mail", box); err != nil || string(plain) != "hello" {
			t.Errorf("%q, %v", plain, err)
		}
	})
}

// Invariant I-22: every row lies under one key-encryption key, whatever was
// added at the same moment, and nothing that the keys made is lost.
func TestTheKeyEncryptionKeyRotates(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		nodes := []*node{r.node, r.open()}
		in := r.signIn(t, r.person())
		_, err := r.manage.RotateKEK(t.Context(), operator)
		refused(t, err, "kek.newer")

		old := &heldKEK{keys: r.kek.keys}
		newer := secret.Random()
		r.kek.newer = newer[:]
		for _, n := range nodes {
			n.warm(t)
		}
		together(6, func(i int) {
			if i == 0 {
				if _, err := r.manage.RotateKEK(t.Context(), operator); err != nil && named(err) != "key.unmoved" {
					t.Error(err)
				}
				return
			}
			of := []key.Purpose{0, key.Signing, key.Refresh, key.Opaque, key.Mail, key.Ledger}[i]
			if err := nodes[i%2].manage.RotateKey(t.Context(), operator, of, false); err != nil && named(err) != "key.unmoved" {
				t.Error(err)
			}
		})
		if r.kek.newer != nil {
			// Somebody else was faster each time; now nobody is.
			if _, err := r.manage.RotateKEK(t.Context(), operator); err != nil {
				t.Fatal(err)
			}
		}
		only, err := secret.NewSealer(newer[:])
		if err != nil {
			t.Fatal(err)
		}
		keys := read(t, r.store, core.View.Keys)
		if err := key.Fits(t.Context(), keys, only); err != nil {
			t.Errorf("a key lies under another key-encryption key: %v", err)
		}
		r.refresh(t, in.Refresh)
		r.inspected(t, in.Access)

		// A node that has only the old one says so, and writes nothing.
		if err := key.Fits(t.Context(), keys, old); !errors.Is(err, key.ErrWrongKEK) {
			t.Errorf("the old key-encryption key: %v", err)
		}
		r.kek.hold(old.keys)
		had := r.keys.Keys.Ring()
		if err := r.keys.Read(t.Context()); !errors.Is(err, key.ErrWrongKEK) || r.keys.Keys.Ring() != had {
			t.Errorf("%v, swapped: %v", err, r.keys.Keys.Ring() != had)
		}
		_, err = r.manage.RotateKEK(t.Context(), operator)
		refused(t, err, "kek.opens")
		if after := read(t, r.store, core.View.Keys); !slices.EqualFunc(keys, after, func(a, b key.Key) bool { return string(a.Sealed) == string(b.Sealed) }) {
			t.Error("a wrong key-encryption key changed the keys")
		}
	})
}

// Everything of it is in the ledger, under the operator's name.
func TestChangesOfKeysAreInTheLedger(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		newer := secret.Random()
		r.kek.newer = newer[:]
		kid := r.current(t, key.Opaque)
		if err := errors.Join(r.manage.RotateKey(t.Context(), operator, key.Signing, false), r.manage.RetireKey(t.Context(), operator, kid, true)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.manage.RotateKEK(t.Context(), operator); err != nil {
			t.Fatal(err)
		}
		r.clock.add(84 * day)
		if err := r.manage.TurnKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, rec := range read(t, r.store, func(v core.View) []ledger.Record { return v.OpenEntries(ledger.Audit, 100) }) {
			e, err := ledger.Unpack(rec.Body)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, e.Exchange.Name+" by "+e.Actor)
		}
		slices.Sort(told)
		if got := strings.Join(told, ", "); got != "key.retire by host:0, key.rotate by host:0, key.rotate_kek by host:0, key.turn by server" {
			t.Errorf("the ledger says %s", got)
		}
	})
}
