// Package identity holds who there is: people, their addresses, their life cycle.
package identity

import (
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/core/check"
)

type userKind struct{}

func (userKind) Prefix() string { return "user" }

// UserID names a person: random, never reused, never an e-mail address.
type UserID = id.ID[userKind]

// ParseUserID reads the outside form.
func ParseUserID(s string) (UserID, error) { return id.Parse[userKind](s) }

// NewUserID makes one.
func NewUserID(now time.Time, random [16]byte) UserID { return id.New[userKind](now, random) }

// A State is where a person stands in the life cycle.
type State uint8

// Nobody is the zero value: an account that does not exist may do nothing.
const (
	Nobody State = iota
	Active
	Paused
	// Deleted is what is left of an account: its id, for nobody to have again.
	Deleted
)

func (s State) String() string { return [...]string{"nobody", "active", "paused", "deleted"}[s] }

// A User is a person with an account.
type User struct {
	ID       UserID
	Email    string // as the person writes it
	Address  string // canonical form of Email: the unique key
	Name     string
	Verified bool
	Admin    bool // may administer this deployment
	State    State
	Guard    uint64 // counts changes to rules that span the person's rows
	Cut      uint64 // feed position below which nothing of this person counts
	Created  time.Time
	DeleteAt time.Time // when the account is to be deleted; zero for never
}

// Exists says whether the row was found, and is somebody's still.
func (u User) Exists() bool { return u.State != Nobody && u.State != Deleted }

// DeletedAfter is how long a person can keep an account that they asked to
// have deleted.
const DeletedAfter = 7 * 24 * time.Hour

// Due says whether the account is to be deleted now.
func (u User) Due(now time.Time) bool {
	return u.Exists() && !u.DeleteAt.IsZero() && !now.Before(u.DeleteAt)
}

// Last says whether the person is the last of so many active administrators,
// or would leave none.
func (u User) Last(administrators int) bool {
	if u.Admin && u.State == Active {
		administrators--
	}
	return u.Admin && administrators <= 0
}

// Gone is what stands for the address of a deleted account: no canonical
// address has a colon before its domain, so nobody can have or find it.
func Gone(id UserID) string { return "deleted:" + id.String() }

// Checks of this noun.
var (
	AddressForm = check.New(check.Check{Number: 201, ID: "address.form", Fault: fault.Unacceptable, Shown: "address.form",
		Says: "The e-mail address is one address in the usual form.", Source: "RFC 5321 section 4.1.2; ASVS 2.2.1",
		Title: "Enter an email address in the correct format, like name@example.com.", Stops: []string{"IDN-15", "REC-06"}})
	AddressFree = check.New(check.Check{Number: 202, ID: "address.free", Fault: fault.Conflict, Shown: "address.free",
		Says: "No account has this address yet.", Source: "ASVS 6.3.8",
		Title: "There is an account with this address already."})
	Known = check.New(check.Check{Number: 203, ID: "user.known", Fault: fault.Unauthenticated, Shown: "signin.failed",
		Says: "There is an account with this address.", Source: "ASVS 6.3.8",
		Title: "That e-mail and password do not match.", Stops: []string{"ENM-01"}})
	IsActive = check.New(check.Check{Number: 204, ID: "user.active", Fault: fault.Denied, Shown: "user.active",
		Says: "The account is active, not paused.", Source: "ASVS 7.4.2",
		Title: "This account is paused. Write to the people who run this service and quote the reference.", Stops: []string{"IDN-10", "SES-11", "OAU-12"}})
	NotLast = check.New(check.Check{Number: 715, ID: "admin.not_last", Fault: fault.Conflict, Shown: "admin.not_last",
		Says: "Another active administrator is left.", Source: "ASVS 8.1.1",
		Title: "This is the last administrator. Make another one first."})
	DeletionDue = check.New(check.Check{Number: 856, ID: "deletion.due", Fault: fault.Conflict, Shown: "deletion.due",
		Says: "The account's person wants it deleted, and the week in which they could keep it is over.", Source: "ASVS 7.4.2; GDPR article 17",
		Title: "This account is not to be deleted now.", Stops: []string{"IDN-10"}})
	Found = check.New(check.Check{Number: 205, ID: "user.found", Fault: fault.Missing, Shown: "user.found",
		Says: "There is such an account.", Source: "RFC 9110 section 15.5.5",
		Title: "There is no such person."})
)

// Plausible says whether somebody may have meant a text as one address, though
// it need not be one: what is refused by its form alone is never an address of
// anybody's (attacks REC-01, REC-06).
func Plausible(email string) bool {
	local, domain, found := strings.Cut(email, "@")
	return found && local != "" && domain != "" && len(email) <= 320 &&
		!strings.ContainsFunc(email, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`,;:<>()[]\"`, r) }) &&
		!strings.Contains(domain, "@")
}

// atext of RFC 5322 section 3.2.3.
const atext = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~-"

// Canonical is the one key of an address: ASCII only, lower case, a dot-atom
// local part and a domain of letters, digits and hyphens. Everything else is
// no address: quoted parts, address literals, lists, white space, look-alike
// letters (RFC 5321 section 4.1.2; attacks IDN-15, REC-06, REC-07).
func Canonical(email string) (address string, ok bool) {
	local, domain, found := strings.Cut(email, "@")
	if !found || len(local) == 0 || len(local) > 64 || len(domain) > 253 || !strings.Contains(domain, ".") && domain != "localhost" {
		return "", false
	}
	for _, part := range strings.Split(local, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return !strings.ContainsRune(atext, r) }) {
			return "", false
		}
	}
	for _, label := range strings.Split(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
		for i := range len(label) {
			c := label[i] | 0x20
			if (c < 'a' || c > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '-' {
				return "", false
			}
		}
	}
	return strings.ToLower(email), true
}
