package check

import (
	"errors"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
)

var (
	first  = New(Check{Number: 60001, ID: "test.first", Says: "The first holds.", Title: "No.", Fault: fault.Denied})
	second = New(Check{Number: 60002, ID: "test.second", Says: "The second holds.", Title: "No.", Fault: fault.Slow})
	both   = Declare(60001, "test.both", first, second)
	one    = Declare(60002, "test.one", first)
)

func TestNothingPassesWithoutEveryDeclaredCheck(t *testing.T) {
	cases := map[string]struct {
		hold []bool
		want any
	}{
		"all held":           {[]bool{true, true}, Passed{}},
		"a forgotten check":  {[]bool{true}, &ErrIncomplete{}},
		"no check at all":    {nil, &ErrIncomplete{}},
		"the first failed":   {[]bool{false, true}, &Refusal{}},
		"the second failed":  {[]bool{true, false}, &Refusal{}},
		"failed, rest unrun": {[]bool{false}, &Refusal{}},
	}
	for name, c := range cases {
		trail := both.Begin()
		for i, ok := range c.hold {
			trail.Hold(both.Checks[i], ok)
		}
		p, err := trail.Close()
		switch c.want.(type) {
		case Passed:
			if err != nil || !p.Proven() {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		case *ErrIncomplete:
			var e *ErrIncomplete
			if !errors.As(err, &e) || p.Proven() {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		case *Refusal:
			var r *Refusal
			if !errors.As(err, &r) || p.Proven() {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		}
	}
	if (Passed{}).Proven() {
		t.Error("the zero Passed issues")
	}
}

func TestTheFirstFailureIsTheRefusal(t *testing.T) {
	trail := both.Begin()
	trail.Hold(second, false, Wait(3*time.Second))
	trail.Hold(first, false)
	_, err := trail.Close()
	var r *Refusal
	if !errors.As(err, &r) || r.Check() != second || r.RetryAfter != 3*time.Second {
		t.Errorf("refusal = %+v", r)
	}
}

func TestARefusalSaysWhichOfItsReasons(t *testing.T) {
	small := NewWord(60001, "it is too small")
	trail := both.Begin()
	trail.Hold(second, false, Count(3), As(small))
	trail.Hold(first, false, As(NewWord(60002, "another's")))
	_, err := trail.Close()
	var r *Refusal
	if !errors.As(err, &r) || r.Word != small || r.Word.String() != "it is too small" {
		t.Errorf("refusal = %+v", r)
	}
	if Word(0).String() != "" {
		t.Error("no word has a text")
	}
}

func TestAnUndeclaredOrRepeatedCheckStopsTheProgram(t *testing.T) {
	for name, f := range map[string]func(){
		"undeclared": func() { one.Begin().Hold(second, true) },
		"twice":      func() { tr := one.Begin(); tr.Hold(first, false); tr.Hold(first, true) },
		"number":     func() { New(Check{Number: 60001, ID: "test.third", Says: "x", Title: "x"}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: nothing happened", name)
				}
			}()
			f()
		}()
	}
}

func TestHoldingDoesNotAllocate(t *testing.T) {
	trail := both.Begin()
	if n := testing.AllocsPerRun(100, func() {
		*trail = Trail{of: both}
		trail.steps = trail.room[:0]
		trail.Hold(first, true)
		trail.Hold(second, true)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
