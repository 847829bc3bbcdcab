package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// oppositeOrders holds that units which write the same rows in opposite
// orders never wait for each other: none of these writes has a condition that
// could lose, so a loss is a deadlock.
func oppositeOrders(t *testing.T, s core.Store) {
	const rows, rounds, callers = 8, 25, 4
	w := newWorld(1, 0)
	given := w.people()
	for k := range byte(rows) {
		given = append(given, w.start(w.id(50+k), 50+k), with(w.open(w.id(80+k)), func(o *token.Open) { o.Session = w.id(50 + k) }))
	}
	commit(t, s, given)
	warm(t, s)
	for name, write := range map[string]func(k byte, round time.Duration) core.Write{
		"session.Seen": func(k byte, round time.Duration) core.Write { return session.Seen{ID: w.id(50 + k), At: at.Add(round)} },
		"session.Extend": func(k byte, round time.Duration) core.Write {
			return session.Extend{ID: w.id(50 + k), IdleUntil: at.Add(time.Hour + round), Now: at}
		},
		"token.Spare": func(k byte, round time.Duration) core.Write { return token.Spare{Session: w.id(50 + k)} },
		"risk.Fail":   func(k byte, round time.Duration) core.Write { return risk.Fail{Key: w.hash(k), At: at.Add(round)} },
		"risk.Know":   func(k byte, round time.Duration) core.Write { return risk.Know{Key: w.hash(k), Until: at.Add(round)} },
		"ledger.Tally": func(k byte, round time.Duration) core.Write {
			return ledger.Tally{Minute: at.Truncate(time.Minute), Exchange: uint16(k / 4), Check: uint16(k % 4), Network: "192.0.2.0/24", Count: 1}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range rounds {
				won, lost := contest(t, s, callers, func(i int) core.Unit {
					var u core.Unit
					for k := range byte(rows) {
						u = append(u, write(k, time.Duration(round*callers+i)*time.Millisecond))
					}
					if i%2 == 1 {
						slices.Reverse(u)
					}
					return u
				})
				if won != callers {
					t.Fatalf("round %d: %d of %d units met a deadlock", round, lost, callers)
				}
			}
		})
	}
}
