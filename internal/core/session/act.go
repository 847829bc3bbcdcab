package session

import (
	"slices"
	"time"
)

// An Act is something risky that asks for fresh proof: how long ago at most,
// and by which ways of proving oneself. A proof of another kind is not fresh,
// however young it is (attacks MFA-09, MFA-10).
type Act struct {
	Name   string
	Says   string // what is done, for the handbook
	Within time.Duration
	By     []string
}

// Security defaults 3.2: step-up validity.
const stepUpFor = 10 * time.Minute

// byPassword are the ways of proving oneself that are as strong as what they
// open. A mailed code or link is none: it proves a mailbox.
var byPassword = []string{"password"}

// The acts that ask for fresh proof. What is asked for the password itself, as
// a change of it is, needs no other.
var (
	EndingSessions  = Act{"sessions.end", "Ending sessions of one's own.", stepUpFor, byPassword}
	ChangingAddress = Act{"address.change", "Changing the e-mail address.", stepUpFor, byPassword}
	DeletingAccount = Act{"account.delete", "Having one's account deleted.", stepUpFor, byPassword}
	TakingOut       = Act{"account.export", "Taking out a copy of what is known of oneself.", stepUpFor, byPassword}
	AllowingDevice  = Act{"device.allow", "Allowing a device what first-party applications have.", stepUpFor, byPassword}
	Administering   = Act{"admin.change", "Changing what others have, as an administrator, or taking it out.", stepUpFor, byPassword}
)

// Acts are all of them.
func Acts() []Act {
	return []Act{EndingSessions, ChangingAddress, DeletingAccount, TakingOut, AllowingDevice, Administering}
}

// Proves says whether a session's last proof is enough for an act.
func (s Session) Proves(a Act, now time.Time) bool {
	return s.Exists() && now.Sub(s.AuthTime) <= a.Within && slices.Contains(a.By, s.Method)
}
