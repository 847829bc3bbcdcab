package ledger

import (
	"crypto/ed25519"
	"reflect"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

var (
	at     = time.Date(2026, 11, 22, 9, 0, 0, 123000, time.UTC)
	alpha  = check.New(check.Check{Number: 60101, ID: "test.alpha", Says: "x.", Title: "x.", Fault: fault.Denied})
	beta   = check.New(check.Check{Number: 60102, ID: "test.beta", Says: "x.", Title: "x.", Fault: fault.Denied})
	tested = check.Declare(60101, "test.ledger", alpha, beta)
)

func entry(n byte) Entry {
	return Entry{ID: ID{n}, At: at.Add(time.Duration(n) * time.Second), Chain: Audit, Exchange: tested, Number: tested.Number, Refused: true, Ref: "7KQ2-M4",
		User: identity.UserID{1}, Session: session.ID{2}, Client: "orders", Actor: "host:0",
		Steps: []check.Step{{Check: alpha, Held: true}, {Check: beta, Details: []check.Detail{check.Count(3), check.Wait(time.Second)}}}}
}

func TestAnEntrySaysWhatItWasTold(t *testing.T) {
	e := entry(1)
	r, keep := e.Writes([16]byte{5})
	got, err := Unpack(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	e.Commit = got.Commit
	if !reflect.DeepEqual(got, e) {
		t.Errorf("wrote %+v\nread  %+v", e, got)
	}
	if len(r.Body) > 120 {
		t.Errorf("an entry takes %d bytes", len(r.Body))
	}
	if p := got.WithPersonal(keep.Salt, keep.Body); p.Commit != e.Commit {
		t.Error("personal fields changed the entry")
	}
}

func TestPersonalFieldsAreThoseCommittedTo(t *testing.T) {
	e := entry(1)
	e.Personal = Personal{IP: "192.0.2.7", UserAgent: "Firefox"}
	r, keep := e.Writes([16]byte{5})
	back, _ := Unpack(r.Body)
	if got := back.WithPersonal(keep.Salt, keep.Body).Personal; got != e.Personal {
		t.Errorf("Personal = %+v", got)
	}
	if got := back.WithPersonal(keep.Salt, []byte(`{"ip":"203.0.113.9"}`)).Personal; got != (Personal{}) {
		t.Errorf("somebody's else address was put into the entry: %+v", got)
	}
}

// chain seals three segments of two entries.
func chain(t *testing.T, k ed25519.PrivateKey) []Segment {
	t.Helper()
	var out []Segment
	var last Segment
	for n := byte(0); n < 6; n += 2 {
		var rs []Record
		for i := n; i < n+2; i++ {
			r, _ := entry(i).Writes([16]byte{i})
			rs = append(rs, r)
		}
		a, err := Seal(last, Audit, rs, k)
		if err != nil {
			t.Fatal(err)
		}
		last = Segment(a)
		out = append(out, last)
	}
	return out
}

func verify(segments []Segment, k ed25519.PublicKey) error {
	var last Segment
	for _, s := range segments {
		if err := s.Verify(last, k); err != nil {
			return err
		}
		last = s
	}
	return nil
}

func TestTheChainShowsEveryChange(t *testing.T) {
	k := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := k.Public().(ed25519.PublicKey)
	if err := verify(chain(t, k), public); err != nil {
		t.Fatal(err)
	}
	other := ed25519.NewKeyFromSeed(append(make([]byte, 31), 1)).Public().(ed25519.PublicKey)
	for name, change := range map[string]func(s []Segment) []Segment{
		"a byte":       func(s []Segment) []Segment { s[1].Body[3] ^= 1; return s },
		"a count":      func(s []Segment) []Segment { s[1].Count++; return s },
		"one missing":  func(s []Segment) []Segment { return append(s[:1], s[2]) },
		"two swapped":  func(s []Segment) []Segment { s[1], s[2] = s[2], s[1]; return s },
		"a new hash":   func(s []Segment) []Segment { s[1].Body[3] ^= 1; s[1].Hash = s[1].hash(); return s },
		"no signature": func(s []Segment) []Segment { s[2].Signature = nil; return s },
	} {
		if verify(change(chain(t, k)), public) == nil {
			t.Errorf("%s: the chain still verifies", name)
		}
	}
	if verify(chain(t, k), other) == nil {
		t.Error("another key's chain verifies")
	}
	got, err := chain(t, k)[2].Entries()
	if err != nil || len(got) != 2 || got[1].ID != (ID{5}) {
		t.Errorf("Entries = %v, %v", got, err)
	}
}

func FuzzUnpack(f *testing.F) {
	r, _ := entry(1).Writes([16]byte{})
	f.Add(r.Body)
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := Unpack(b); err == nil && len(e.Steps) > maxSteps {
			t.Error("more steps than there can be")
		}
	})
}
