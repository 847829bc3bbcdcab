package check

import (
	"fmt"
	"time"
)

// A Step is one check that ran, how it ended, and what may be kept of why.
type Step struct {
	Check   *Check
	Held    bool
	Details []Detail
}

// A Trail is what one judgement found: the checks that ran, in order. Each
// judgement has its own; only that of the judgement that committed is kept.
type Trail struct {
	of    *Exchange
	steps []Step
	ran   uint64
	fail  *Check
	first int
	room  [24]Step
}

// Begin starts a trail for one judgement of the exchange.
func (e *Exchange) Begin() *Trail {
	t := &Trail{of: e}
	t.steps = t.room[:0]
	return t
}

// Hold records that a check ran and whether it held, and returns ok. The
// first failure decides what the outside learns. A check that the exchange
// did not declare poisons the trail as well: it is held, but declares nothing.
func (t *Trail) Hold(c *Check, ok bool, details ...Detail) bool {
	bit, declared := t.of.bit[c]
	if !declared {
		panic(fmt.Sprintf("check: exchange %s holds %s without declaring it", t.of.Name, c.ID))
	}
	if t.ran&(1<<bit) != 0 {
		panic(fmt.Sprintf("check: exchange %s holds %s twice in one judgement", t.of.Name, c.ID))
	}
	t.ran |= 1 << bit
	t.steps = append(t.steps, Step{Check: c, Held: ok, Details: details})
	if !ok && t.fail == nil {
		t.fail, t.first = c, len(t.steps)-1
	}
	return ok
}

// Failed says whether a check has failed so far.
func (t *Trail) Failed() bool { return t.fail != nil }

// Steps are the checks that ran, in order.
func (t *Trail) Steps() []Step { return t.steps }

// Of is the exchange that this trail judges.
func (t *Trail) Of() *Exchange { return t.of }

// Close ends the judgement: a Passed when every declared check ran and held,
// a *Refusal when one failed, and ErrIncomplete when one did not run, which is
// a fault of ours and issues nothing.
func (t *Trail) Close() (Passed, error) {
	if t.fail != nil {
		r := &Refusal{check: t.fail, Exchange: t.of}
		for _, d := range t.steps[t.first].Details {
			if d.kind == kindWait {
				r.RetryAfter = time.Duration(d.n)
			}
			if d.kind == kindAge {
				r.MaxAge = time.Duration(d.n)
			}
			if d.kind == kindWord {
				r.Word = Word(d.n)
			}
		}
		return Passed{}, r
	}
	if t.ran != 1<<len(t.of.Checks)-1 {
		return Passed{}, &ErrIncomplete{t.of, t.missing()}
	}
	return Passed{t.of}, nil
}

func (t *Trail) missing() []string {
	var out []string
	for i, c := range t.of.Checks {
		if t.ran&(1<<i) == 0 {
			out = append(out, c.ID)
		}
	}
	return out
}

// Passed is the proof that every check an exchange declared ran and held.
// Only Close makes one that counts; the zero value issues nothing.
type Passed struct{ of *Exchange }

// Proven says whether some exchange passed. The zero value did not.
func (p Passed) Proven() bool { return p.of != nil }

// A Refusal is a check that failed. It is the only error that tells a caller
// anything; its fields for the outside are the check's Shown, Title and Fault.
type Refusal struct {
	check      *Check
	Exchange   *Exchange     // nil when an edge refused before there was anything to judge
	Ref        string        // by which the person, the log and the ledger speak of it
	RetryAfter time.Duration // for Slow and Busy
	MaxAge     time.Duration // for Stale: how fresh a proof must be
	Word       Word          // which of its reasons, where the check has several; they are for whoever may know the check
}

// unnamed stands for a check that nobody named: it tells nothing.
var unnamed = &Check{ID: "unnamed", Title: "Something failed on our side."}

// Check is the check that failed. It cannot be set from outside this package:
// a refusal comes from a trail or from Refuse, or it says nothing.
func (r *Refusal) Check() *Check {
	if r.check == nil {
		return unnamed
	}
	return r.check
}

// Error names the check, for logs.
func (r *Refusal) Error() string { return "refused: " + r.Check().ID }

// Refuse makes the refusal of a check that stands alone, outside an exchange:
// what an edge finds before there is anything to judge.
func Refuse(c *Check, details ...Detail) *Refusal {
	r := &Refusal{check: c}
	for _, d := range details {
		if d.kind == kindWait {
			r.RetryAfter = time.Duration(d.n)
		}
		if d.kind == kindWord {
			r.Word = Word(d.n)
		}
	}
	return r
}

// ErrIncomplete says that an exchange ended without running a check that it
// declares. Nothing was issued; the code is wrong.
type ErrIncomplete struct {
	Exchange *Exchange
	Missing  []string
}

func (e *ErrIncomplete) Error() string {
	return fmt.Sprintf("check: exchange %s ended without running %v; nothing was issued", e.Exchange.Name, e.Missing)
}
