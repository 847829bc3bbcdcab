package manage

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
)

var entryFound = check.New(check.Check{Number: 701, ID: "ledger.found", Fault: fault.Missing, Shown: "ledger.found",
	Says: "The ledger holds a refusal with this reference.", Source: "RFC 9110 section 15.5.5",
	Title: "Nothing in the ledger has this reference. Refusals of nobody known are counted, not kept."})

// A Proof is what the ledger's chain says of itself.
type Proof struct {
	Chain    ledger.Chain
	Segments uint64
	Entries  int
	Head     [32]byte // hash of the last segment
	Open     int      // entries not sealed yet
	Broken   error    // why the chain does not hold, at the first place where it does not
}

const segmentsAtATime = 64

// VerifyLedger walks both chains from their first kept segment and holds each
// segment against the one before it and the ledger's public keys: those that
// took their turn, and a compromised one for what it sealed before.
func (m *Manage) VerifyLedger(ctx context.Context) ([]Proof, error) {
	var out []Proof
	keys := m.keys.Follow.Keys.Ring().Sealed
	for _, chain := range []ledger.Chain{ledger.Audit, ledger.Rest} {
		p, err := m.verify(ctx, chain, keys)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (m *Manage) verify(ctx context.Context, chain ledger.Chain, keys []key.LedgerKey) (Proof, error) {
	p := Proof{Chain: chain}
	var last ledger.Segment
	for first := true; ; first = false {
		v := m.pipe.Store.View(ctx)
		segments := v.Segments(chain, last.Number+1, segmentsAtATime)
		p.Open = len(v.OpenEntries(chain, ledger.SealAtMost))
		if err := v.Err(); err != nil {
			return p, err
		}
		for i, s := range segments {
			if first && i == 0 && s.Number > 1 {
				// Older segments have been dropped: the first kept one stands on
				// its own signature.
				last = ledger.Segment{Chain: chain, Number: s.Number - 1, Hash: s.Prev}
			}
			entries, err := s.Entries()
			if verr := s.Verify(last, believed(keys, s.Last)...); verr != nil {
				err = verr
			}
			if err != nil {
				p.Broken = err
				return p, nil
			}
			p.Segments++
			p.Entries += len(entries)
			p.Head, last = s.Hash, s
		}
		if len(segments) < segmentsAtATime {
			return p, nil
		}
	}
}

// believed are the keys that may have sealed a segment which ends at an instant.
func believed(keys []key.LedgerKey, end time.Time) []ed25519.PublicKey {
	var out []ed25519.PublicKey
	for _, k := range keys {
		if k.Until.IsZero() || !end.After(k.Until) {
			out = append(out, k.Public)
		}
	}
	return out
}

// Explain finds the entry behind a refusal's reference.
func (m *Manage) Explain(ctx context.Context, ref string) (ledger.Entry, error) {
	v := m.pipe.Store.View(ctx)
	e, found := v.EntryByRef(ref)
	if err := v.Err(); err != nil {
		return ledger.Entry{}, err
	}
	if !found {
		return ledger.Entry{}, check.Refuse(entryFound)
	}
	return e, nil
}
