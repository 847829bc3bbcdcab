// Package check holds the heart of Doorward: the named check, the trail of
// checks that one judgement leaves, and the catalogue of all of them.
//
// An exchange declares the checks it needs. Its judgement holds each of them
// on a trail. Only a closed trail on which every declared check ran and held
// gives a Passed, and whoever issues trust asks for a Passed. There is no
// other way to issue, and no way to refuse but a check that failed.
package check

import (
	"fmt"
	"slices"

	"github.com/doorward/doorward/internal/base/fault"
)

// A Check is one thing that must hold before trust is given.
type Check struct {
	Number uint16     // on disk; given once, never reused
	ID     string     // "refresh.unspent"; never changes
	Says   string     // what holds when it holds, one sentence for people
	Source string     // where it is demanded: an RFC section, an ASVS row
	Fault  fault.Kind // what the outside may learn
	// Shown is the id that the outside reads in a refusal. Empty hides it;
	// a wider id (signin.failed) stands for several that must look alike.
	Shown string
	// Code is the error code that OAuth endpoints answer with, where the one of
	// the fault would say too little (RFC 6749 section 5.2 and the registry).
	Code string
	// Title is the refusal in the person's words: what happened, what to do.
	Title string
	// Stops lists the attack cases this check answers, by id.
	Stops []string
}

var (
	byNumber  = map[uint16]*Check{}
	byID      = map[string]*Check{}
	exchanges = map[uint16]*Exchange{}
)

// New declares a check. It panics on a number or id that is taken, so the
// catalogue is proven when the program starts.
func New(c Check) *Check {
	if c.Number == 0 || c.ID == "" || c.Says == "" || c.Title == "" {
		panic(fmt.Sprintf("check: %q has no number, id, sentence or title", c.ID))
	}
	if byNumber[c.Number] != nil || byID[c.ID] != nil {
		panic(fmt.Sprintf("check: %d %q is declared twice", c.Number, c.ID))
	}
	byNumber[c.Number], byID[c.ID] = &c, &c
	return &c
}

// Numbered finds a check of the ledger; nil when this version knows none.
func Numbered(n uint16) *Check { return byNumber[n] }

// Named finds a check by id; nil when there is none.
func Named(id string) *Check { return byID[id] }

// Catalogue lists every check by number.
func Catalogue() []*Check {
	all := make([]*Check, 0, len(byNumber))
	for _, c := range byNumber {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *Check) int { return int(a.Number) - int(b.Number) })
	return all
}

// An Exchange is a name and the checks that must all run before anything of
// it is issued, in the order people read them.
type Exchange struct {
	Number uint16
	Name   string
	Checks []*Check
	bit    map[*Check]int
	often  bool
	counts bool
}

// Declare declares an exchange. At most 64 checks: one bit each.
func Declare(number uint16, name string, checks ...*Check) *Exchange {
	if number == 0 || name == "" || exchanges[number] != nil || len(checks) == 0 || len(checks) > 64 {
		panic(fmt.Sprintf("check: exchange %d %q is declared twice, or has no checks or too many", number, name))
	}
	e := &Exchange{Number: number, Name: name, Checks: checks, bit: make(map[*Check]int, len(checks))}
	for i, c := range checks {
		if _, twice := e.bit[c]; twice || c == nil {
			panic(fmt.Sprintf("check: exchange %q lists a check twice, or none", name))
		}
		e.bit[c] = i
	}
	exchanges[number] = e
	return e
}

// Often marks an exchange that runs every few minutes for everybody: its
// passed entries go to the chain that is kept for less long.
func (e *Exchange) Often() *Exchange {
	e.often = true
	return e
}

// Frequent says whether Often was said.
func (e *Exchange) Frequent() bool { return e.often }

// Count marks an exchange that gives an application something for itself and
// changes nothing: what passed is counted by the minute in the ledger, and not
// told one by one.
func (e *Exchange) Count() *Exchange {
	e.counts = true
	return e
}

// Counted says whether Count was said.
func (e *Exchange) Counted() bool { return e.counts }

// ExchangeNumbered finds an exchange of the ledger; nil when unknown.
func ExchangeNumbered(n uint16) *Exchange { return exchanges[n] }

// Exchanges lists every declared exchange by number.
func Exchanges() []*Exchange {
	all := make([]*Exchange, 0, len(exchanges))
	for _, e := range exchanges {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Exchange) int { return int(a.Number) - int(b.Number) })
	return all
}

// Sentences are the exchange's checks in words, for the line "What happens
// when I press this?".
func (e *Exchange) Sentences() []string {
	out := make([]string, len(e.Checks))
	for i, c := range e.Checks {
		out[i] = c.Says
	}
	return out
}
