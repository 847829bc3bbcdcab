package revocation

import (
	"testing"
	"time"
)

var at = time.Date(2026, 11, 22, 9, 0, 0, 200_000_000, time.UTC)

func event(seq uint64, n Name) Event {
	r := Of(n, at, 5*time.Minute, 30*time.Second)
	return Event{Seq: seq, At: r.At, Name: n, NotBefore: r.NotBefore, Until: r.Until}
}

func TestDeadBelowThePositionOnly(t *testing.T) {
	ana, s, j := Name{User, "ana"}, Name{Session, "s1"}, Name{JTI, "j1"}
	l := NewLog()
	l.Apply([]Event{event(5, ana), event(6, j)}, 6, at)
	for _, c := range []struct {
		rev  uint64
		n    Name
		want bool
	}{{4, ana, true}, {5, ana, false}, {9, ana, false}, {4, s, false}, {99, j, true}, {4, Name{Session, "ana"}, false}} {
		if got := l.Dead(c.rev, c.n); got != c.want {
			t.Errorf("Dead(%d, %v) = %v", c.rev, c.n, got)
		}
	}
	l.Apply([]Event{event(8, Name{Unit: All})}, 8, at)
	if !l.Dead(7, s) || l.Dead(8, s) {
		t.Error("all does not name everything below its position")
	}
}

func TestOwnEventsCountBeforeThePositionMoves(t *testing.T) {
	ana, ben := Name{User, "ana"}, Name{User, "ben"}
	l := NewLog()
	l.Own(event(9, ana))
	if !l.Dead(3, ana) || l.Position() != 0 {
		t.Fatal("an own event does not count, or moved the position past events not read yet")
	}
	l.Apply([]Event{event(8, ben), event(9, ana)}, 9, at)
	got, next, head := l.Since(0, 10)
	if len(got) != 2 || next != 9 || head != 9 || !l.Dead(3, ben) {
		t.Errorf("Since(0) = %v, %d, %d", got, next, head)
	}
}

func TestSinceNeverSplitsAPosition(t *testing.T) {
	l := NewLog()
	var all []Event
	for seq := uint64(1); seq <= 4; seq++ {
		for _, who := range []string{"a", "b", "c"} {
			all = append(all, event(seq, Name{User, who}))
		}
	}
	l.Apply(all, 7, at)
	seen, after := 0, uint64(0)
	for range 10 {
		events, next, _ := l.Since(after, 2)
		seen += len(events)
		if next < after {
			t.Fatalf("the position fell from %d to %d", after, next)
		}
		after = next
	}
	if seen != len(all) || after != 7 {
		t.Errorf("saw %d of %d events, ended at %d", seen, len(all), after)
	}
}

func TestANewTokenIsNeverBelowNotBefore(t *testing.T) {
	ana := Name{User, "ana"}
	l := NewLog()
	l.Apply([]Event{event(1, ana)}, 1, at)
	if nb := l.NotBefore(ana); !nb.Equal(at.Truncate(time.Second).Add(time.Second)) {
		t.Errorf("NotBefore = %v for a loss at %v", nb, at)
	}
}

func TestSweepKeepsWhatStillKills(t *testing.T) {
	ana := Name{User, "ana"}
	l := NewLog()
	l.Apply([]Event{event(1, ana)}, 1, at)
	l.Sweep(at.Add(10 * time.Minute))
	if !l.Dead(0, ana) {
		t.Error("an event was forgotten while a token it kills could live")
	}
	l.Sweep(at.Add(10*time.Minute + time.Microsecond))
	if l.Dead(0, ana) || l.Position() != 1 {
		t.Error("an event outlived its use, or took the position with it")
	}
}

func TestMovedWakesWaiters(t *testing.T) {
	l := NewLog()
	moved := l.Moved()
	l.Apply(nil, 0, at)
	select {
	case <-moved:
		t.Fatal("woken though the position stands")
	default:
	}
	l.Apply(nil, 3, at)
	<-moved
}
