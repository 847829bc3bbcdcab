package risk

import (
	"net/netip"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func TestABudgetIsNeverOverspent(t *testing.T) {
	b := Budget{20, time.Minute}
	var tat time.Time
	spent := 0
	for s := range 600 {
		at := now.Add(time.Duration(s) * 100 * time.Millisecond)
		if next, wait := b.Take(tat, at); wait == 0 {
			tat = next
			spent++
		}
	}
	// The first minute: the whole budget at once and what came back since.
	if spent < 39 || spent > 40 {
		t.Errorf("%d acts in a minute of steady tries, budget 20 and 20 refilled", spent)
	}
	wait := time.Duration(0)
	for range 21 {
		if tat, wait = b.Take(tat, now.Add(time.Minute)); wait > 0 {
			break
		}
	}
	if wait <= 0 || wait > 3*time.Second {
		t.Errorf("a spent budget asks to wait %v", wait)
	}
}

func TestMetersTakeFromEveryBudgetOrNone(t *testing.T) {
	m := NewMeters(1)
	budgets := []Budget{{2, time.Minute}, {3, time.Hour}}
	for range 2 {
		if w := m.Take("x", "a", now, budgets); w != 0 {
			t.Fatalf("refused inside the budget: %v", w)
		}
	}
	if m.Take("x", "a", now, budgets) == 0 {
		t.Fatal("the third in a minute was allowed")
	}
	if m.Take("x", "b", now, budgets) != 0 {
		t.Error("one caller spends another's budget")
	}
	later := now.Add(2 * time.Minute)
	if m.Take("x", "a", later, budgets) != 0 {
		t.Error("a refused act was charged to the hour")
	}
	if m.Take("x", "a", later, budgets) == 0 {
		t.Error("the fourth in an hour was allowed")
	}
	m.Refund("x", "a", budgets)
	if m.Take("x", "a", later, budgets) != 0 {
		t.Error("a refunded act is still charged")
	}
}

func TestRestGrowsAndNeverLocks(t *testing.T) {
	for _, c := range []struct {
		count int
		want  time.Duration
	}{{0, 0}, {1, time.Second}, {2, time.Second}, {3, 3 * time.Second}, {9, 5 * time.Second}, {25, 10 * time.Second}, {1 << 20, 10 * time.Second}} {
		if got := (Failures{c.count, now}).Rest(now, 1); got != c.want {
			t.Errorf("after %d failures: %v, want %v", c.count, got, c.want)
		}
	}
	if got := (Failures{50, now}).Rest(now.Add(24*time.Hour), 1); got != 0 {
		t.Errorf("a day later: %v", got)
	}
	if got := (Failures{50, now}).Rest(now.Add(-5*time.Hour), 1); got > 10*time.Second {
		t.Errorf("MFA-23: a clock set back locks for %v", got)
	}
	if got := (Failures{50, now}).Rest(now, 1000); got != 10*time.Millisecond {
		t.Errorf("scaled: %v", got)
	}
}

func TestNetworksThatAreOnePlace(t *testing.T) {
	same := func(a, b string) bool { return Network(netip.MustParseAddr(a)) == Network(netip.MustParseAddr(b)) }
	if !same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9") || same("2001:db8:1:2::1", "2001:db8:1:3::1") {
		t.Error("DOS-01: an IPv6 /64 is not one place")
	}
	if !same("::ffff:192.0.2.7", "192.0.2.7") || same("192.0.2.7", "192.0.2.8") {
		t.Error("DOS-01: an IPv4 address is not one place, or has two spellings")
	}
}
