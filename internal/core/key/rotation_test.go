package key

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
)

const day = 24 * time.Hour

var policy = Policy{Alg: jose.ES256, Every: 90 * day, Access: 5 * time.Minute, Refresh: 90 * day}

// of is a key that has its turn on a day; "!" is one that was compromised on
// its last day, "-" one without a private part.
func of(p Purpose, number int, since float64, marks ...string) Key {
	k := Key{Purpose: p, Number: number, KID: fmt.Sprint(number), Sealed: []byte{1}, Since: start.Add(time.Duration(since * float64(day)))}
	for _, m := range marks {
		switch {
		case m == "-":
			k.Sealed = nil
		case strings.HasPrefix(m, "!"):
			var on float64
			fmt.Sscan(m[1:], &on)
			k.Compromised = start.Add(time.Duration(on * float64(day)))
		}
	}
	return k
}

// days counts the days from the start, to a tenth.
func days(t time.Time) float64 { return math.Round(t.Sub(start).Hours()/2.4) / 10 }

// states writes how keys stand: "1:current 2:next@97" is key 2 to be kept
// until day 97.
func states(all []Standing) string {
	var out []string
	for _, s := range all {
		text := s.KID + ":" + s.State.String()
		if !s.Until.IsZero() {
			text += fmt.Sprintf("@%g", days(s.Until))
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func steps(p Plan) string {
	var out []string
	for _, w := range p.Make {
		out = append(out, fmt.Sprintf("make %d@%g", w.Number, days(w.Since)))
	}
	for _, s := range p.Erase {
		out = append(out, "erase "+s.KID)
	}
	return strings.Join(out, " ")
}

// The table is the specification of a signing key's life, in days.
func TestTheLifeOfASigningKey(t *testing.T) {
	s := Signing
	for _, test := range []struct {
		name   string
		keys   []Key
		on     float64
		states string
		plan   string
	}{
		{"the first", []Key{of(s, 1, 0)}, 0, "1:current", ""},
		{"before notice", []Key{of(s, 1, 0)}, 82.9, "1:current", ""},
		{"notice", []Key{of(s, 1, 0)}, 83, "1:current", "make 2@90"},
		{"off for a year", []Key{of(s, 1, 0)}, 455, "1:current", "make 2@455"},
		{"published", []Key{of(s, 1, 0), of(s, 2, 90)}, 84, "1:current@92 2:next", ""},
		{"its turn", []Key{of(s, 1, 0), of(s, 2, 90)}, 90, "1:previous@92 2:current", ""},
		{"kept", []Key{of(s, 1, 0), of(s, 2, 90)}, 91.9, "1:previous@92 2:current", ""},
		{"over", []Key{of(s, 1, 0), of(s, 2, 90)}, 92, "1:gone@92 2:current", "erase 1"},
		{"erased", []Key{of(s, 1, 0, "-"), of(s, 2, 90)}, 92, "1:gone@92 2:current", ""},
		{"compromised", []Key{of(s, 1, 0, "!5", "-"), of(s, 2, 5)}, 5, "1:compromised@7 2:current", ""},
		{"compromised, not erased yet", []Key{of(s, 1, 0, "!5"), of(s, 2, 5)}, 5, "1:compromised@7 2:current", "erase 1"},
		{"compromised and nobody there", []Key{of(s, 1, 0, "!5", "-")}, 5, "1:compromised", "make 2@5"},
		{"the next was compromised", []Key{of(s, 1, 0), of(s, 2, 90, "!85", "-")}, 85, "1:current 2:compromised", "make 3@90"},
		{"a previous one does not come back", []Key{of(s, 1, 0), of(s, 2, 90, "!91", "-"), of(s, 3, 91)}, 91.5, "1:previous@92 2:compromised@93 3:current", ""},
		{"four are enough", []Key{of(s, 1, 0), of(s, 2, .1), of(s, 3, .2), of(s, 4, .3)}, 1, "1:previous@2.1 2:previous@2.2 3:previous@2.3 4:current", ""},
		{"the clock behind all of them", []Key{of(s, 1, 10), of(s, 2, 90)}, 9, "1:current@92 2:next", ""},
	} {
		now := start.Add(time.Duration(test.on * float64(day)))
		if got := states(policy.Stand(test.keys, now)); got != test.states {
			t.Errorf("%s: keys stand %q, want %q", test.name, got, test.states)
		}
		if got := steps(policy.Plan(test.keys, now)); got != test.plan {
			t.Errorf("%s: to do %q, want %q", test.name, got, test.plan)
		}
	}
	// However many are published, one that makes nothing new has another at once.
	room := []Key{of(s, 1, 0), of(s, 2, .1), of(s, 3, .2), of(s, 4, .3)}
	if policy.Room(policy.Stand(room, start.Add(day)), s) || !policy.Room(policy.Stand(room[1:], start.Add(day)), s) {
		t.Error("the cap of published keys is not four")
	}
}

func TestOtherPurposesHaveTheirOwnTime(t *testing.T) {
	at := func(d float64) time.Time { return start.Add(time.Duration(d * float64(day))) }
	for _, test := range []struct {
		name   string
		policy Policy
		keys   []Key
		on     float64
		states string
		plan   string
	}{
		// A family may live for 90 days after its key had its last turn.
		{"families keep their key", policy, []Key{of(Refresh, 1, 0), of(Refresh, 2, 90)}, 180.9, "1:previous@181 2:current", "make 3@180.9"},
		{"and no longer", policy, []Key{of(Refresh, 1, 0), of(Refresh, 2, 90), of(Refresh, 3, 180)}, 181, "1:gone@181 2:previous@271 3:current", "erase 1"},
		{"longer families, longer turns", Policy{Alg: jose.ES256, Every: 90 * day, Refresh: 365 * day}, []Key{of(Refresh, 1, 0)}, 170, "1:current", ""},
		{"compromised families go on", policy, []Key{of(Refresh, 1, 0, "!5"), of(Refresh, 2, 5)}, 95.9, "1:compromised@96 2:current", "make 3@95.9"},
		{"until they are over", policy, []Key{of(Refresh, 1, 0, "!5"), of(Refresh, 2, 5), of(Refresh, 3, 95)}, 96, "1:compromised@96 2:previous@186 3:current", "erase 1"},
		{"forms take no turns", policy, []Key{of(Form, 1, 0)}, 3650, "1:current", ""},
		{"but are replaced", policy, []Key{of(Form, 1, 0, "!5"), of(Form, 2, 5)}, 5, "1:compromised@5 2:current", "erase 1"},
	} {
		if got := states(test.policy.Stand(test.keys, at(test.on))); got != test.states {
			t.Errorf("%s: keys stand %q, want %q", test.name, got, test.states)
		}
		if got := steps(test.policy.Plan(test.keys, at(test.on))); got != test.plan {
			t.Errorf("%s: to do %q, want %q", test.name, got, test.plan)
		}
	}
}

// Twenty turns in small steps, for each purpose and several policies: there always is
// one key in use, every key was published long enough before its turn and kept
// long enough after it, few are live, and none is erased that something hangs on.
func TestTwentyTurns(t *testing.T) {
	for _, p := range []Policy{policy, {Alg: jose.ES256, Every: day, Access: time.Hour, Refresh: 365 * day}, {Alg: jose.RS256, Every: 400 * day, Access: time.Hour, Refresh: day}} {
		var keys []Key
		for _, of := range purposes {
			keys = append(keys, Key{Purpose: of, Number: 1, KID: "1", Sealed: []byte{1}, Created: start, Since: start})
		}
		last := map[string]time.Time{} // when a key last made something
		step := max(1, int(p.Every.Hours())/200)
		for h := 0; h < 20*int(p.Every.Hours()); h += step {
			now := start.Add(time.Duration(h) * time.Hour)
			plan := p.Plan(keys, now)
			for _, w := range plan.Make {
				keys = append(keys, Key{Purpose: w.Purpose, Number: w.Number, KID: fmt.Sprint(w.Number), Sealed: []byte{1}, Created: now, Since: w.Since})
			}
			for _, e := range plan.Erase {
				i := slices.IndexFunc(keys, func(k Key) bool { return k.Purpose == e.Purpose && k.Number == e.Number })
				keys[i].Sealed = nil
				life := map[Purpose]time.Duration{Signing: p.Access, Opaque: p.Access, Refresh: p.Refresh}[e.Purpose]
				if made := last[fmt.Sprint(e.Purpose, e.Number)]; now.Before(made.Add(life)) {
					t.Fatalf("%v: %s key %d erased at %v, though it made something at %v", p, e.Purpose, e.Number, now, made)
				}
			}
			count := map[Purpose]map[State]int{}
			for _, s := range p.Stand(keys, now) {
				if count[s.Purpose] == nil {
					count[s.Purpose] = map[State]int{}
				}
				count[s.Purpose][s.State]++
				if s.State == Current {
					last[fmt.Sprint(s.Purpose, s.Number)] = now
					if s.Number > 1 && s.Since.Sub(s.Created) <= min(Notice, p.Every/2)-time.Duration(step)*time.Hour {
						t.Fatalf("%v: %s key %d had %v of notice", p, s.Purpose, s.Number, s.Since.Sub(s.Created))
					}
				}
			}
			for of, n := range count {
				if live := n[Next] + n[Current] + n[Previous]; n[Current] != 1 || live > LiveAtMost && of != Mail {
					t.Fatalf("%v: %s keys at hour %d: %v", p, of, h, n)
				}
			}
		}
		if n := len(keys); n < len(purposes)+5 {
			t.Errorf("%v: only %d keys in all", p, n)
		}
	}
}
