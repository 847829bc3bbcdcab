package settle_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/settle"
)

// A post office is what a test sends with.
type postOffice struct {
	*secret.Sealer
	mu   sync.Mutex
	sent []outbox.ID
	told int // failures reported
	fail error
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	key := secret.Random()
	s, err := secret.NewSealer(key[:])
	if err != nil {
		t.Fatal(err)
	}
	return &postOffice{Sealer: s}
}

func (o *postOffice) send(_ context.Context, m outbox.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail == nil {
		o.sent = append(o.sent, m.ID)
	}
	return o.fail
}

func (o *postOffice) report(outbox.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told++
}

// write puts a mail into the outbox.
func (r *rig) write(t *testing.T, o *postOffice) outbox.ID {
	t.Helper()
	m := outbox.Message{ID: outbox.NewID(r.now(), secret.Random16()), Kind: outbox.Test, Created: r.now(), To: "ana@example.com"}
	tell, err := m.Seal(o.Sealer)
	if err != nil {
		t.Fatal(err)
	}
	r.commit(t, core.Unit{tell})
	return m.ID
}

// deliver has a node look at the outbox, and says how many mails were sent so far.
func (o *postOffice) deliver(t *testing.T, p *settle.Pipeline) int {
	t.Helper()
	if _, err := p.Deliver(t.Context(), o.Sealer, o.send, o.report); err != nil && !errors.Is(err, core.ErrUnavailable) {
		t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.sent)
}

// A mail that the server does not take is tried again, later each time, and
// goes out once when it is taken.
func TestAMailIsTriedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		o := newPostOffice(t)
		id := r.write(t, o)
		o.fail = errors.New("mailbox full")
		for i, wait := range []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute} {
			for range 3 { // looking more often changes nothing
				o.deliver(t, r.Pipeline)
			}
			if o.told != i+1 {
				t.Fatalf("after failure %d: %d tries", i+1, o.told)
			}
			r.add(wait - time.Second)
			o.deliver(t, r.Pipeline)
			if o.told != i+1 {
				t.Fatalf("tried again before %v", wait)
			}
			r.add(time.Second)
		}
		o.fail = nil
		for range 3 {
			o.deliver(t, r.Pipeline)
			r.add(time.Hour)
		}
		if !slices.Equal(o.sent, []outbox.ID{id}) {
			t.Errorf("sent %v", o.sent)
		}
	})
}

// A mail of no use any more is not sent.
func TestAnOldMailIsNotSent(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		o := newPostOffice(t)
		r.write(t, o)
		r.add(outbox.KeptFor)
		if n := o.deliver(t, r.Pipeline); n != 0 || o.told != 0 {
			t.Errorf("%d sent, %d reported", n, o.told)
		}
	})
}

// Whenever a node ends between taking a mail and forgetting it, the mail goes
// out: once when it had not been sent, and again, under the same id, when
// nobody knows.
func TestAMailSurvivesItsNode(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for name, c := range map[string]struct {
			dies func(u core.Unit) bool // when, seen from the units it commits
			want int
		}{
			"before it was sent": {func(u core.Unit) bool { _, claim := u[0].(outbox.Claim); return claim }, 1},
			"after it was sent":  {func(u core.Unit) bool { _, done := u[0].(outbox.Done); return done }, 2},
		} {
			o := newPostOffice(t)
			id := r.write(t, o)
			dead := &settle.Pipeline{Store: dying{r.store, c.dies}, Feed: r.Feed, Now: r.now, Follow: r.Follow}
			o.deliver(t, dead)
			if n := o.deliver(t, r.Pipeline); n != c.want-1 {
				t.Errorf("%s: another node sent it while it was taken: %d", name, n)
			}
			r.add(time.Minute)
			for range 3 {
				o.deliver(t, r.Pipeline)
				r.add(time.Hour)
			}
			if len(o.sent) != c.want || o.sent[0] != id || o.sent[len(o.sent)-1] != id {
				t.Errorf("%s: sent %v", name, o.sent)
			}
		}
	})
}

// dying is a store whose node ends at a unit: a claim has reached the store, a
// done has not.
type dying struct {
	core.Store
	at func(core.Unit) bool
}

func (d dying) Commit(ctx context.Context, u core.Unit) (core.Receipt, error) {
	if d.at(u) {
		if _, claim := u[0].(outbox.Claim); claim {
			if _, err := d.Store.Commit(ctx, u); err != nil {
				return core.Receipt{}, err
			}
		}
		return core.Receipt{}, core.ErrUnavailable
	}
	return d.Store.Commit(ctx, u)
}

// Of nodes that look at the same moment one sends.
func TestOneNodeSendsAMail(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		o := newPostOffice(t)
		for range 8 {
			r.write(t, o)
		}
		var wg sync.WaitGroup
		for range 6 {
			node := &settle.Pipeline{Store: r.store, Feed: r.Feed, Now: r.now, Follow: r.Follow}
			wg.Go(func() { o.deliver(t, node) })
		}
		wg.Wait()
		slices.SortFunc(o.sent, func(a, b outbox.ID) int { return slices.Compare(a[:], b[:]) })
		if n := len(slices.Compact(slices.Clone(o.sent))); n != 8 || len(o.sent) != 8 {
			t.Errorf("%d sent, %d of them different", len(o.sent), n)
		}
	})
}
