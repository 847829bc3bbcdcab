package identity

import (
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// An Admission says who may make an account without being asked to. The zero
// value lets in nobody.
type Admission struct {
	Open    bool     // everybody
	Domains []string // else those whose address is of one of these, in the form of Canonical
}

// Any says whether there is anybody whom it lets in.
func (a Admission) Any() bool { return a.Open || len(a.Domains) > 0 }

// Allows says whether it lets in the owner of a canonical address. A domain is
// itself and none below it.
func (a Admission) Allows(address string) bool {
	at := strings.LastIndexByte(address, '@')
	return a.Open || at >= 0 && slices.Contains(a.Domains, address[at+1:])
}

// Checks of who may make an account.
var (
	SignUpOpen = check.New(check.Check{Number: 831, ID: "signup.open", Fault: fault.Denied, Shown: "signup.open",
		Says: "People may make their own accounts here.", Source: "ASVS 8.3.1",
		Title: "Accounts here are made by invitation.", Stops: []string{"MFA-18"}})
	SignUpDomain = check.New(check.Check{Number: 832, ID: "signup.domain", Fault: fault.Denied, Shown: "signup.domain",
		Says: "The address is of a domain whose people may make their own accounts.", Source: "ASVS 8.3.1",
		Title: "Accounts here are for addresses of certain domains only.", Stops: []string{"MFA-18", "IDN-15"}})
)
