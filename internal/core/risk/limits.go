// Package risk turns signals into verdicts: rate limits as arithmetic, and
// how long a typed address rests after failures.
package risk

import (
	"net/netip"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
)

// Network is what counts as one place on the net: an IPv4 address, or an IPv6
// /64, for one household has 2^64 addresses (attack DOS-01).
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return netip.Prefix{}
	}
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits)
	return p
}

// A Budget allows Count acts in each Per, spent at once or over time.
type Budget struct {
	Count int
	Per   time.Duration
}

// Scale multiplies the budget; tests and trusted networks do.
func (b Budget) Scale(n int) Budget { return Budget{b.Count * max(n, 1), b.Per} }

// Take is the generic cell rate algorithm: tat is the theoretical arrival
// time kept from the last act. It gives the next one, or how long to wait.
func (b Budget) Take(tat, now time.Time) (next time.Time, wait time.Duration) {
	each := b.Per / time.Duration(b.Count)
	// No act moves it further than one period ahead: then the clock was set
	// back, and the count is of no worth any more.
	if tat.Before(now) || tat.Sub(now) > b.Per {
		tat = now
	}
	next = tat.Add(each)
	if over := next.Sub(now) - b.Per; over > 0 {
		return tat, over
	}
	return next, 0
}

// Refund gives one act back.
func (b Budget) Refund(tat time.Time) time.Time { return tat.Add(-b.Per / time.Duration(b.Count)) }

// Password budgets for one network (security defaults 3.4).
var (
	PasswordTries = []Budget{{20, time.Minute}, {200, time.Hour}, {1000, 24 * time.Hour}}
	RefreshTries  = []Budget{{600, time.Minute}}
	ClientTries   = []Budget{{5, time.Minute}}
	AdminCalls    = []Budget{{50, time.Second}}
	LinkTries     = []Budget{{20, time.Minute}}
	Exports       = []Budget{{5, time.Hour}}
)

// Budgets for mails that anybody may ask for (security defaults 3.4).
var (
	MailsToAddress   = []Budget{{3, 10 * time.Minute}, {10, 24 * time.Hour}}
	MailsFromNetwork = []Budget{{20, time.Hour}}
	SignUpsFrom      = []Budget{{5, time.Hour}}
	NoAccounts       = []Budget{{1, 24 * time.Hour}}
)

// CodeTries is how many mailed codes are compared for one address, whichever
// mail they were in (security defaults 3.4).
var (
	CodeTries = []Budget{{10, 15 * time.Minute}}
)

// Afford judges budgets that nodes share, of what by who: the writes that pay
// one act from each, or how long to wait and none.
func Afford(r Reader, what, who string, now time.Time, scale int, budgets []Budget) (pay []Pay, wait time.Duration) {
	for i, b := range budgets {
		key := secret.MAC([]byte{byte(i)}, "budget", []byte(what), []byte(who))
		tat := r.Budget(key)
		next, w := b.Scale(scale).Take(tat, now)
		pay, wait = append(pay, Pay{key, tat, next}), max(wait, w)
	}
	if wait > 0 {
		return nil, wait
	}
	return pay, 0
}

type meter struct {
	what   string
	who    string
	budget int
}

// shared are the acts whose budgets all nodes share: what strangers guess or
// replay. The others bound the load of one node.
var shared = map[string]bool{"password": true, "refresh": true, "client": true}

// Meters count acts in this process, and owe what they counted of shared ones
// to the store, which each node pays every second and learns from what the
// others paid. So a budget is overspent by at most what fits into a second,
// survives a restart, and costs no request a read.
type Meters struct {
	Scale int
	mu    sync.Mutex
	tat   map[meter]time.Time
	owed  map[meter]debt
	swept time.Time
}

type debt struct{ by, per time.Duration }

// NewMeters counts nothing yet. scale multiplies every budget.
func NewMeters(scale int) *Meters {
	return &Meters{Scale: scale, tat: map[meter]time.Time{}, owed: map[meter]debt{}}
}

// Take spends one act of what by who from every budget, or none and says how
// long to wait.
func (m *Meters) Take(what, who string, now time.Time, budgets []Budget) (wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	next := make([]time.Time, len(budgets))
	for i, b := range budgets {
		t, w := b.Scale(m.Scale).Take(m.tat[meter{what, who, i}], now)
		next[i], wait = t, max(wait, w)
	}
	if wait == 0 {
		for i, b := range budgets {
			k := meter{what, who, i}
			m.tat[k] = next[i]
			m.owe(k, b.Scale(m.Scale), 1)
		}
	}
	return wait
}

func (m *Meters) owe(k meter, b Budget, acts int) {
	if shared[k.what] {
		d := m.owed[k]
		m.owed[k] = debt{d.by + time.Duration(acts)*b.Per/time.Duration(b.Count), b.Per}
	}
}

// Refund gives back what Take spent: a success costs nothing.
func (m *Meters) Refund(what, who string, budgets []Budget) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, b := range budgets {
		k := meter{what, who, i}
		if t, ok := m.tat[k]; ok {
			m.tat[k] = b.Scale(m.Scale).Refund(t)
			m.owe(k, b.Scale(m.Scale), -1)
		}
	}
}

// A Debt is what this node spent of one shared budget since it last paid.
type Debt struct {
	of meter
	debt
}

// Pay is the write that pays it.
func (d Debt) Pay(now time.Time) Share {
	return Share{d.Key(), d.by.Microseconds(), now}
}

// Key names the budget in the store.
func (d Debt) Key() [32]byte {
	return secret.MAC([]byte{byte(d.of.budget)}, "meter", []byte(d.of.what), []byte(d.of.who))
}

// Debts takes what is owed, to be paid.
func (m *Meters) Debts() []Debt {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Debt, 0, len(m.owed))
	for k, d := range m.owed {
		// What was refunded at once is nobody's business.
		if d.by != 0 {
			out = append(out, Debt{k, d})
		}
	}
	clear(m.owed)
	return out
}

// Unpaid puts a debt back that could not be paid.
func (m *Meters) Unpaid(d Debt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owed[d.of] = debt{m.owed[d.of].by + d.by, d.per}
}

// Learn takes over what all nodes together have spent, tat of the store, and
// what this one has spent since it paid. A budget that several overspent is
// spent, no more.
func (m *Meters) Learn(d Debt, tat, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if tat.Before(now) {
		tat = now
	}
	if tat = tat.Add(m.owed[d.of].by); tat.Sub(now) > d.per {
		tat = now.Add(d.per)
	}
	m.tat[d.of] = tat
}

// sweep drops meters that are full again, each minute.
func (m *Meters) sweep(now time.Time) {
	if now.Sub(m.swept).Abs() < time.Minute {
		return
	}
	m.swept = now
	for k, t := range m.tat {
		if t.Before(now) {
			delete(m.tat, k)
		}
	}
}

// Failures are the wrong passwords typed for one address: kept in the store,
// so they survive a restart and are shared by nodes.
type Failures struct {
	Count int
	Last  time.Time
}

// memory is how long a failure counts.
const memory = 24 * time.Hour

// Rest is how long until the next try may be compared: soft delays that grow,
// and never a lock (security defaults 3.4). scale divides them.
func (f Failures) Rest(now time.Time, scale int) time.Duration {
	if f.Count == 0 || now.Sub(f.Last) >= memory {
		return 0
	}
	d := 10 * time.Second
	switch {
	case f.Count < 3:
		d = time.Second
	case f.Count < 9:
		d = 3 * time.Second
	case f.Count < 25:
		d = 5 * time.Second
	}
	// A failure in the future was before the clock was set back: nobody waits
	// until it has caught up.
	if f.Last.Sub(now) > d {
		return 0
	}
	return min(max(0, f.Last.Add(d/time.Duration(max(scale, 1))).Sub(now)), d)
}

// Forgotten is the instant before which failures no longer count.
func Forgotten(now time.Time) time.Time { return now.Add(-memory) }

// KnownFor is how long a network stays known for an address after a sign-in.
const KnownFor = 30 * 24 * time.Hour

// AddressKey is the counter of a typed address from networks it never signed
// in from. An attacker who fails here does not slow the person down at home.
func AddressKey(address string) [32]byte { return secret.Hash("failures", []byte(address)) }

// PlaceKey is the counter of a typed address from one network, and the mark
// that the network is known for it.
func PlaceKey(address string, network netip.Prefix) [32]byte {
	return secret.MAC([]byte("place"), "failures", []byte(address), []byte(network.String()))
}

// Fail counts one wrong password. It is never conditional: none is lost.
type Fail struct {
	Key       [32]byte
	At        time.Time
	Forgotten time.Time
}

// Clear forgets an address's failures after a right password.
type Clear struct{ Key [32]byte }

// Know remembers that an address signed in from a network.
type Know struct {
	Key   [32]byte
	Until time.Time
}

// Pay spends from a budget that all nodes share: it holds that nobody spent
// from it since it was judged. Was is zero when nothing was spent before.
type Pay struct {
	Key       [32]byte
	Was, Next time.Time
}

// Share adds what one node spent to a budget that all nodes share. By is in
// microseconds of the budget's time, negative for what was given back.
type Share struct {
	Key [32]byte
	By  int64
	Now time.Time
}

// Earn drops budgets that were full again before an instant.
type Earn struct{ Before time.Time }

func (Pay) Changes() string   { return "budgets" }
func (Earn) Changes() string  { return "budgets" }
func (Share) Changes() string { return "budgets" }

// Forget removes counts of failures that no longer count at all.
type Forget struct {
	Keys   [][32]byte
	Before time.Time
}

// Unknow removes networks that are not known any more at an instant.
type Unknow struct {
	Keys [][32]byte
	Now  time.Time
}

func (Fail) Changes() string  { return "failures" }
func (Clear) Changes() string { return "failures" }
func (Know) Changes() string  { return "known_networks" }

func (Forget) Changes() string { return "failures" }
func (Unknow) Changes() string { return "known_networks" }

// Reader is what judgements read of failures.
type Reader interface {
	Failures(key [32]byte) Failures
	// Knows says whether a network is known for an address at now.
	Knows(key [32]byte, now time.Time) bool
	// PastFailures lists what Forget would remove, PastNetworks what Unknow would.
	PastFailures(before time.Time, limit int) [][32]byte
	PastNetworks(now time.Time, limit int) [][32]byte
	// Budget is the theoretical arrival time of a shared budget.
	Budget(key [32]byte) time.Time
}

// Checks of this noun.
var (
	NetworkCalm = check.New(check.Check{Number: 601, ID: "limit.network", Fault: fault.Slow, Shown: "limit.network",
		Says: "This network has not tried too often.", Source: "ASVS 2.4.1, 6.3.1",
		Title: "Too many tries.", Stops: []string{"DOS-01", "MFA-04"}})
	AddressRested = check.New(check.Check{Number: 602, ID: "limit.address", Fault: fault.Slow, Shown: "limit.address",
		Says: "The last wrong try for this address is long enough ago.", Source: "NIST SP 800-63B-4 section 3.2.2; ASVS 6.3.1",
		Title: "Too many tries.", Stops: []string{"MFA-04", "MFA-13", "MFA-23"}})
)
