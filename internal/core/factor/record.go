package factor

import (
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
)

// A Password as it is kept.
type Password struct {
	User    identity.UserID
	PHC     string
	Version uint64 // counts changes; a use conditions on it
	Changed time.Time
	// Distrusted says that its person called it into question.
	Distrusted bool
}

// Exists says whether the person has a password.
func (p Password) Exists() bool { return p.PHC != "" }

// Enrol gives a person their first password. Unique by person.
type Enrol struct {
	User    identity.UserID
	PHC     string
	Changed time.Time
}

// Replace changes a password that is still the one that was judged.
type Replace struct {
	User    identity.UserID
	Version uint64
	PHC     string
	Changed time.Time
}

// Use holds that a password is still the one that was compared, when the
// session that came of it commits: a sign-in that races a change loses.
type Use struct {
	User    identity.UserID
	Version uint64
	At      time.Time
}

// Rehash keeps a right password under today's parameters.
type Rehash struct {
	User    identity.UserID
	Version uint64
	PHC     string
}

// Distrust calls a person's password into question, if they have one: it opens
// nothing until it is replaced.
type Distrust struct{ User identity.UserID }

// Remove takes a person's password away, if they have one.
type Remove struct{ User identity.UserID }

func (Remove) Changes() string   { return "passwords" }
func (Distrust) Changes() string { return "passwords" }
func (Enrol) Changes() string    { return "passwords" }
func (Replace) Changes() string  { return "passwords" }
func (Use) Changes() string      { return "passwords" }
func (Rehash) Changes() string   { return "passwords" }

// Reader is what judgements read of factors.
type Reader interface {
	Password(identity.UserID) Password
}

// Checks of passwords.
var (
	PasswordTrusted = check.New(check.Check{Number: 871, ID: "password.trusted", Fault: fault.Denied, Shown: "password.trusted",
		Says: "The person has not said that somebody else may know the password.", Source: "ASVS 6.2.4; NIST SP 800-63B-4 section 3.1.1.2",
		Title: "Somebody else may know this password, so it does not open the account any more. Choose a new one by recovery."})
	HasherFree = check.New(check.Check{Number: 251, ID: "password.capacity", Fault: fault.Busy, Shown: "password.capacity",
		Says: "There is room to compare a password now.", Source: "OWASP Password Storage; ASVS 2.4.1",
		Title: "We cannot sign people in for a moment. Those signed in stay signed in.", Stops: []string{"DOS-02"}})
	PasswordFits = check.New(check.Check{Number: 252, ID: "password.fits", Fault: fault.Unauthenticated, Shown: "signin.failed",
		Says: "The password is the account's.", Source: "NIST SP 800-63B-4 section 3.1.1",
		Title: "That e-mail and password do not match.", Stops: []string{"ENM-01", "ENM-02", "MFA-22"}})
	PasswordGood = check.New(check.Check{Number: 253, ID: "password.good", Fault: fault.Unacceptable, Shown: "password.good",
		Says: "The new password is long enough, and not one that is tried first.", Source: "NIST SP 800-63B-4 section 3.1.1.2; ASVS 6.2.1, 6.2.4",
		Title: "Choose another password."})
)
