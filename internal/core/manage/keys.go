package manage

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

// Keys is what changes of keys need.
type Keys struct {
	Follow *settle.KeyFollower // this node's ring
	KEK    KEK
	Policy key.Policy
}

// A KEK is the key-encryption key as this node holds it.
type KEK interface {
	secret.KEK
	// Newer is the key to move to: one that was put beside the present one, or a
	// new one where this node may keep it. fits says whether a key is the present
	// one. done is called when nothing lies under the present one any more. ErrNoNewer
	// says that there is none.
	Newer(fits func(secret.KEK) bool) (next secret.KEK, done func() error, err error)
}

// ErrNoNewer says that there is no key-encryption key to move to.
var ErrNoNewer = errors.New("manage: no newer key-encryption key")

var (
	keyFound = check.New(check.Check{Number: 721, ID: "key.found", Fault: fault.Missing, Shown: "key.found",
		Says: "There is a key of this id.", Source: "RFC 9110 section 15.5.5",
		Title: "There is no key of this id. See doorward keys list."})
	keyTurns = check.New(check.Check{Number: 722, ID: "key.turns", Fault: fault.Conflict, Shown: "key.turns",
		Says: "Keys of this purpose take turns.", Source: "ASVS 11.2.2",
		Title: "Keys of this purpose are replaced only when they are retired as compromised."})
	keyRoom = check.New(check.Check{Number: 723, ID: "key.room", Fault: fault.Conflict, Shown: "key.room",
		Says: "No more signing keys are published than verifiers are asked to keep.", Source: "security default 3.6",
		Title: "Four signing keys are published already. Wait until the oldest has gone, or retire one as compromised."})
	keyCurrent = check.New(check.Check{Number: 724, ID: "key.current", Fault: fault.Conflict, Shown: "key.current",
		Says: "The key makes new things now.", Source: "security default 3.6",
		Title: "This key is not in use now: it waits for its turn, or its time is running out by itself. Add --compromised to end it at once."})
	keyDue = check.New(check.Check{Number: 725, ID: "key.due", Fault: fault.Conflict, Shown: "key.due",
		Says: "A key's turn or end has come.", Source: "security default 3.6",
		Title: "Nothing is due: another node did it."})
	keysUnmoved = check.New(check.Check{Number: 726, ID: "key.unmoved", Fault: fault.Conflict, Shown: "key.unmoved",
		Says: "Nobody else changed the keys meanwhile.", Source: "ASVS 15.4.1",
		Title: "Somebody else changed the keys at the same moment. Look at them and ask again."})
	kekOpens = check.New(check.Check{Number: 727, ID: "kek.opens", Fault: fault.Denied, Shown: "kek.opens",
		Says: "The key-encryption key opens every key of this database.", Source: "ASVS 13.3.1",
		Title: "This server's key-encryption key does not open the keys. Give it the right one first."})
	kekNewer = check.New(check.Check{Number: 728, ID: "kek.newer", Fault: fault.Conflict, Shown: "kek.newer",
		Says: "There is a newer key-encryption key to move to.", Source: "ASVS 13.3.4",
		Title: "There is no newer key-encryption key to move to, and this server cannot keep one: put a new one before the present one."})
)

var (
	rotateKey = check.Declare(241, "key.rotate", keyTurns, keyRoom, keysUnmoved)
	turnKeys  = check.Declare(242, "key.turn", keyDue, keysUnmoved)
	retireKey = check.Declare(243, "key.retire", keyFound, keyCurrent, keysUnmoved)
	rotateKEK = check.Declare(244, "key.rotate_kek", kekOpens, kekNewer, keysUnmoved)
)

// Keys lists every key and where it is in its life.
func (m *Manage) Keys(ctx context.Context) ([]key.Standing, error) {
	v := m.pipe.Store.View(ctx)
	keys := v.Keys()
	return m.keys.Policy.Stand(keys, m.pipe.Now()), v.Err()
}

// changed is a unit that changes keys: every node is told.
func (m *Manage) changed(u core.Unit, now time.Time) core.Unit {
	return append(append(core.Unit{revocation.Next{}}, u...), m.event(settle.KeysChanged, now))
}

// settled gives this node the ring that its own change made.
func (m *Manage) settled(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	return m.keys.Follow.Read(ctx)
}

// RotateKey gives a purpose its next key ahead of time: after the shortest
// notice at which no verifier is surprised, or soon, for whoever cannot wait.
// A next key that waits already has its turn moved.
func (m *Manage) RotateKey(ctx context.Context, by settle.Caller, of key.Purpose, soon bool) error {
	return m.follow(ctx, by, rotateKey, of, func(j *settle.Judgement, all []key.Standing, next *made) core.Unit {
		notice := key.Shortly
		if soon {
			notice = key.Soon
		}
		waits := key.Find(all, of, key.Next)
		if !j.Hold(keyTurns, m.keys.Policy.Turns(of)) || !j.Hold(keyRoom, waits != nil || m.keys.Policy.Room(all, of)) ||
			!j.Hold(keysUnmoved, waits != nil || next != nil) {
			return nil
		}
		return m.instead(waits, next, j.Now.Add(notice), j.Now)
	})
}

// RetireKey ends a key by its id. One that was compromised is believed no
// more from this moment on: out of the JWKS, its tokens dead at every verifier
// that follows and at introspection, another in its place. Without that word
// the key in use is followed by another, and stays until nothing it made lives.
func (m *Manage) RetireKey(ctx context.Context, by settle.Caller, kid string, compromised bool) error {
	v := m.pipe.Store.View(ctx)
	keys := v.Keys()
	if err := v.Err(); err != nil {
		return err
	}
	var of key.Purpose
	if i := slices.IndexFunc(keys, func(k key.Key) bool { return k.KID == kid }); i >= 0 {
		of = keys[i].Purpose
	}
	return m.follow(ctx, by, retireKey, of, func(j *settle.Judgement, all []key.Standing, next *made) core.Unit {
		i := slices.IndexFunc(all, func(s key.Standing) bool { return s.KID == kid })
		if !j.Hold(keyFound, i >= 0) {
			return nil
		}
		k, waits := all[i], key.Find(all, of, key.Next)
		current := k.State == key.Current
		if !j.Hold(keyCurrent, compromised || current && m.keys.Policy.Turns(of)) ||
			!j.Hold(keysUnmoved, !current || waits != nil || next != nil) {
			return nil
		}
		switch {
		case !compromised:
			return m.instead(waits, next, j.Now.Add(key.Shortly), j.Now)
		case k.State == key.Compromised:
			return nil
		}
		u := core.Unit{key.Distrust{Purpose: of, Number: k.Number, At: j.Now}}
		if current {
			u = m.instead(waits, next, j.Now, j.Now)
			u = slices.Insert(u, 1, core.Write(key.Distrust{Purpose: of, Number: k.Number, At: j.Now}))
		} else {
			u = m.changed(u, j.Now)
		}
		if k.Needless() && !k.Erased() {
			e, err := k.Erasing(ctx, m.keys.KEK)
			if err != nil {
				m.pipe.Alarm(err)
			} else {
				u = append(u, e)
			}
		}
		if of.Signs() || of == key.Opaque {
			u = append(u, m.event(revocation.Name{Unit: revocation.Key, ID: k.KID}, j.Now))
		}
		return u
	})
}

// instead is the unit by which another key has its turn at an instant: one
// that waits, moved ahead, or a new one.
func (m *Manage) instead(waits *key.Standing, next *made, at, now time.Time) core.Unit {
	switch {
	case waits == nil:
		a := next.Add
		a.Since = at
		return m.changed(core.Unit{next.beside, a}, now)
	case waits.Since.After(at):
		return m.changed(core.Unit{key.Hasten{Purpose: waits.Purpose, Number: waits.Number, From: waits.Since, Since: at}}, now)
	}
	return m.changed(nil, now)
}

// made is a key to be added, beside one as it was read before.
type made struct {
	key.Add
	beside key.Beside
}

// follow makes the key that may be wanted, outside any unit, and runs an
// exchange that may add it. The judge is given nil when another key has taken
// its number meanwhile, or the key-encryption key was rotated.
func (m *Manage) follow(ctx context.Context, by settle.Caller, of *check.Exchange, p key.Purpose, judge func(*settle.Judgement, []key.Standing, *made) core.Unit) error {
	all, err := m.Keys(ctx)
	if err != nil {
		return err
	}
	var ahead *made
	if key.Find(all, p, key.Next) == nil && key.Find(all, p, key.Current) != nil {
		a, err := key.New(ctx, m.keys.KEK, m.keys.Policy.Want(all, p, m.pipe.Now()), m.pipe.Now())
		if err != nil {
			return err
		}
		ahead = &made{a, key.BesideOne(all)}
	}
	return m.settled(ctx, m.pipe.Run(ctx, of, by, func(j *settle.Judgement) core.Unit {
		all := m.keys.Policy.Stand(j.View.Keys(), j.Now)
		next := ahead
		if next != nil && (m.keys.Policy.Want(all, p, j.Now).Number != next.Number || !next.stands(all)) {
			next = nil
		}
		return judge(j, all, next)
	}, nil))
}

// stands says whether what it was made beside still is what was read.
func (m made) stands(all []key.Standing) bool {
	return slices.ContainsFunc(all, func(s key.Standing) bool {
		return s.Purpose == m.beside.Purpose && s.Number == m.beside.Number && bytes.Equal(s.Sealed, m.beside.Sealed)
	})
}

// TurnKeys does what is due: it makes the next keys ahead of their turn, the
// first of an algorithm that applications want, and erases what nobody needs. Of
// two nodes at once one does it.
func (m *Manage) TurnKeys(ctx context.Context) error {
	v := m.pipe.Store.View(ctx)
	keys := v.Keys()
	if err := v.Err(); err != nil {
		return err
	}
	wants := m.keys.Follow.Keys.Wanted()
	plan := m.keys.Policy.Plan(keys, m.pipe.Now(), wants...)
	if plan.Empty() {
		return nil
	}
	var u core.Unit
	for _, w := range plan.Make {
		a, err := key.New(ctx, m.keys.KEK, w, m.pipe.Now())
		if err != nil {
			return err
		}
		u = append(u, a)
	}
	if len(plan.Make) > 0 {
		u = append(u, key.BesideOne(m.keys.Policy.Stand(keys, m.pipe.Now())))
	}
	for _, s := range plan.Erase {
		e, err := s.Erasing(ctx, m.keys.KEK)
		if err != nil {
			return err
		}
		u = append(u, e)
	}
	err := m.pipe.Run(ctx, turnKeys, settle.Caller{Actor: "server"}, func(j *settle.Judgement) core.Unit {
		now := j.View.Keys()
		if !j.Hold(keyDue, !m.keys.Policy.Plan(now, j.Now, wants...).Empty()) || !j.Hold(keysUnmoved, same(keys, now)) {
			return nil
		}
		return m.changed(u, j.Now)
	}, nil)
	var refusal *check.Refusal
	if errors.As(err, &refusal) {
		err = nil // another node did it
	}
	return m.settled(ctx, err)
}

// needs makes keys of the algorithms that an application was registered for,
// where there are none. What fails is tried again by the job that turns keys:
// they are wanted.
func (m *Manage) needs(ctx context.Context, c client.Client) {
	ring := m.keys.Follow.Keys
	ring.Want(c.Algs()...)
	ring.WantOpening(c.RequestKeyAlg)
	if c.SubjectType == client.SubjectPairwise {
		ring.WantPairwise()
	}
	// Another key that was made at the same moment is no reason to wait.
	for range rounds {
		if len(ring.Wanted()) == 0 {
			return
		}
		if err := m.TurnKeys(ctx); err != nil {
			m.pipe.Alarm(err)
			return
		}
	}
}

// same says whether keys still are what was read.
func same(was, is []key.Key) bool {
	return slices.EqualFunc(was, is, func(a, b key.Key) bool {
		return a.Purpose == b.Purpose && a.Number == b.Number && bytes.Equal(a.Sealed, b.Sealed) && a.Since.Equal(b.Since) && a.Compromised.Equal(b.Compromised)
	})
}

// rounds bounds how often keys that were added meanwhile are moved too.
const rounds = 5

// RotateKEK puts every key under a newer key-encryption key in one unit, and
// says how many. The keys themselves stay what they are, and with them
// everything that they sealed.
func (m *Manage) RotateKEK(ctx context.Context, by settle.Caller) (int, error) {
	var next secret.KEK
	var done func() error
	resealed := 0
	for round := 0; ; round++ {
		v := m.pipe.Store.View(ctx)
		keys := v.Keys()
		if err := v.Err(); err != nil {
			return 0, err
		}
		if round > 0 && key.Fits(ctx, keys, next) == nil {
			return resealed, m.settled(ctx, done())
		}
		if round == rounds {
			return 0, check.Refuse(keysUnmoved)
		}
		opens, newer := key.Fits(ctx, keys, m.keys.KEK), error(nil)
		if opens != nil && !errors.Is(opens, key.ErrWrongKEK) {
			return 0, opens
		}
		var moved []key.Reseal
		if opens == nil {
			if next == nil {
				next, done, newer = m.keys.KEK.Newer(func(k secret.KEK) bool { return key.Fits(ctx, keys, k) == nil })
			}
			if newer != nil && !errors.Is(newer, ErrNoNewer) {
				return 0, newer
			}
			if newer == nil {
				var err error
				if moved, err = key.Under(ctx, keys, m.keys.KEK, next); err != nil {
					return 0, err
				}
			}
		}
		err := m.pipe.Run(ctx, rotateKEK, by, func(j *settle.Judgement) core.Unit {
			if !j.Hold(kekOpens, opens == nil) || !j.Hold(kekNewer, newer == nil) || !j.Hold(keysUnmoved, same(keys, j.View.Keys())) {
				return nil
			}
			var u core.Unit
			for _, w := range moved {
				u = append(u, w)
			}
			return m.changed(u, j.Now)
		}, nil)
		if err != nil {
			return 0, err
		}
		resealed += len(moved)
	}
}
