package token

import (
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
)

type onceKind struct{}

func (onceKind) Prefix() string { return "once" }

// OnceID names a one-time object. It stands in forms and gives no power.
type OnceID = id.ID[onceKind]

// ParseOnceID reads the outside form.
func ParseOnceID(s string) (OnceID, error) { return id.Parse[onceKind](s) }

// NewOnceID makes one.
func NewOnceID(now time.Time, random [16]byte) OnceID { return id.New[onceKind](now, random) }

// A Use is what a one-time object may be spent for. It is inside everything
// that is kept of its link and code, so an object of one use can never be
// spent for another (attack OAU-16). The number is on disk.
type Use uint8

// The uses.
const (
	ForSignUp      Use = iota + 1 // proves the address of an account to be
	ForRecovery                   // lets a person choose a new way in
	ForAddress                    // proves the new address of a person
	ForUndoAddress                // takes a change of address back
	ForInvitation                 // lets an invited person make their account
	ForNotMe                      // ends what a person says was not them
	ForSetup                      // makes the first administrator
	ForKeeping                    // keeps an account that is to be deleted
	ForDevice                     // lets a device have tokens, once its person allowed it (RFC 8628)
)

// Uses of what is spent without having been kept (see SpendOnce): nothing was
// written when it was made.
const (
	AsCode      Use = iota + 32 // an authorization code
	AsAssertion                 // a client's signed assertion (RFC 7523)
	AsDPoP                      // a proof of possession (RFC 9449)
	_                           // given back
	AsAnswered                  // an authorization request that waited for its person
)

// ForNewPassword is not sent: it keeps, for one browser, that a mailbox was
// proved and a password may be chosen.
const ForNewPassword Use = 16

// A Once is a link, a code, or both, that can be spent once. What a mail
// carries is kept as hashes only.
type Once struct {
	ID      OnceID
	Use     Use
	Subject [32]byte // what it is about; a newer one of the same use and subject takes its place
	User    identity.UserID
	Link    [32]byte // see LinkHash
	Code    [32]byte // see CodeMAC; zero when there is no code
	Browser [32]byte // see BrowserHash; zero when no browser asked for it
	Rev     uint64   // dead when the person's cut is above it
	Tries   int      // codes compared so far
	Created time.Time
	Expires time.Time
	Spent   time.Time // zero until then
	Body    []byte    // facts of the use
}

// Exists says whether the row was found.
func (o Once) Exists() bool { return !o.ID.IsZero() }

// CodeTries is how many codes are compared before all are void (security
// defaults 3.3: five a transaction; attack REC-09).
const CodeTries = 5

// CodeDigits is the length of a mailed code.
const CodeDigits = 8

// A OnceState is what a one-time object is at an instant. The zero value buys
// nothing.
type OnceState uint8

// The order is the order of judgement.
const (
	OnceUnknown OnceState = iota // none of this use, or of another's
	OnceDead                     // its person's trust was cut since
	OnceSpent                    // used before
	OnceOver                     // too old
	OnceVoid                     // too many wrong codes
	OnceGood
)

// Judge says how a one-time object stands for a use. cut is its person's.
func (o Once) Judge(use Use, cut uint64, now time.Time) OnceState {
	switch {
	case !o.Exists() || o.Use != use:
		return OnceUnknown
	case cut > o.Rev:
		return OnceDead
	case !o.Spent.IsZero():
		return OnceSpent
	case !now.Before(o.Expires):
		return OnceOver
	case o.Tries >= CodeTries:
		return OnceVoid
	}
	return OnceGood
}

// JudgeCode is Judge for the code, which may live shorter than the link beside
// it (ASVS 6.5.5).
func (o Once) JudgeCode(use Use, cut uint64, now time.Time, life time.Duration) OnceState {
	s := o.Judge(use, cut, now)
	if s >= OnceVoid && !now.Before(o.Created.Add(life)) {
		return OnceOver
	}
	return s
}

// JudgeLink is Judge for the link, which nobody guesses: wrong codes that
// somebody types take nothing from it.
func (o Once) JudgeLink(use Use, cut uint64, now time.Time) OnceState {
	o.Tries = 0
	return o.Judge(use, cut, now)
}

// LinkHash is what is kept of a link's token.
func LinkHash(use Use, tok []byte) [32]byte {
	return secret.MAC([]byte{byte(use)}, "once link", tok)
}

// CodeMAC is what is kept of a code. A code has few digits, so only who has
// the key can compare one.
func CodeMAC(key []byte, use Use, o OnceID, code string) [32]byte {
	return secret.MAC(key, "once code", []byte{byte(use)}, o[:], []byte(code))
}

// Fits says in constant time whether a typed code is this object's.
func (o Once) Fits(key []byte, code string) bool {
	h := CodeMAC(key, o.Use, o.ID, code)
	return o.Code != [32]byte{} && secret.Equal(h[:], o.Code[:])
}

// BrowserHash is what is kept of the key that a browser's forms are bound to.
func BrowserHash(key []byte) [32]byte { return secret.Hash("once browser", key) }

// From says whether a browser is the one that asked for the object.
func (o Once) From(browserKey []byte) bool {
	h := BrowserHash(browserKey)
	return len(browserKey) > 0 && o.Browser != [32]byte{} && secret.Equal(h[:], o.Browser[:])
}

// SubjectOf is the subject of an address or an id.
func SubjectOf(text string) [32]byte { return secret.Hash("once subject", []byte(text)) }

// NewLink is the text of a link's token, in its one spelling.
func NewLink(random [32]byte) string { return secret.Encode(random[:]) }

// ParseLink reads it.
func ParseLink(s string) ([]byte, bool) {
	b, ok := secret.Decode(s)
	return b, ok && len(b) == secret.Size
}

// ParseCode reads a typed code: eight digits, with spaces and hyphens between
// them for the eye, and nothing else (attack MFA-01).
func ParseCode(typed string) (string, bool) {
	digits := make([]byte, 0, CodeDigits)
	for i := range len(typed) {
		switch c := typed[i]; {
		case c >= '0' && c <= '9' && len(digits) < CodeDigits:
			digits = append(digits, c)
		case c == ' ' || c == '-':
		default:
			return "", false
		}
	}
	return string(digits), len(digits) == CodeDigits
}

// Offer keeps a one-time object, in the place of an older one of the same use
// and subject: only the newest works (attack REC-08).
type Offer struct {
	ID      OnceID
	Use     Use
	Subject [32]byte
	User    identity.UserID
	Link    [32]byte
	Code    [32]byte
	Browser [32]byte
	Rev     uint64
	Created time.Time
	Expires time.Time
	Body    []byte
}

// Try counts a code that is compared, in the write that compares: of many at
// once each is judged on its own count (attack REC-09).
type Try struct {
	ID   OnceID
	From int
}

// Spend uses an object up, when it is still the one that was judged.
type Spend struct {
	ID OnceID
	At time.Time
}

// Void takes back what is offered for a use and subject.
type Void struct {
	Use     Use
	Subject [32]byte
	At      time.Time
}

// VoidLater takes back what a person was offered for a use after a position.
type VoidLater struct {
	Use  Use
	User identity.UserID
	Rev  uint64
	At   time.Time
}

// Withdraw removes all that a person was offered.
type Withdraw struct{ User identity.UserID }

func (VoidLater) Changes() string { return "once" }
func (Withdraw) Changes() string  { return "once" }

// Lapse removes objects that ended before an instant.
type Lapse struct{ Before time.Time }

func (Offer) Changes() string { return "once" }
func (Try) Changes() string   { return "once" }
func (Spend) Changes() string { return "once" }
func (Void) Changes() string  { return "once" }
func (Lapse) Changes() string { return "once" }

// OnceKept is how long an object is kept past its end, to say that it ended.
const OnceKept = 7 * 24 * time.Hour

// Checks of one-time objects.
var (
	OnceKnown = check.New(check.Check{Number: 801, ID: "once.known", Fault: fault.Missing, Shown: "once.known",
		Says: "The link or code is one that we sent, for this, and the newest.", Source: "ASVS 6.5.1, 6.6.2",
		Title: "This link or code is not one of ours, or a newer one was sent.", Stops: []string{"REC-02", "REC-08", "OAU-16"}})
	OnceStands = check.New(check.Check{Number: 802, ID: "once.stands", Fault: fault.Missing, Shown: "once.stands",
		Says: "Nothing about the account changed since it was sent.", Source: "ASVS 6.5.1",
		Title: "This link or code ended when something about the account changed.", Stops: []string{"REC-08"}})
	OnceUnspent = check.New(check.Check{Number: 803, ID: "once.unspent", Fault: fault.Conflict, Shown: "once.unspent",
		Says: "It was not used before.", Source: "ASVS 6.5.1",
		Title: "This link or code was used already.", Stops: []string{"REC-08"}})
	OnceInTime = check.New(check.Check{Number: 804, ID: "once.in_time", Fault: fault.Missing, Shown: "once.in_time",
		Says: "It is not too old.", Source: "ASVS 6.5.5; NIST SP 800-63B-4 section 4.2",
		Title: "This link or code has ended. We can send a new one.", Stops: []string{"REC-08"}})
	OnceTries = check.New(check.Check{Number: 805, ID: "once.tries", Fault: fault.Slow, Shown: "once.tries",
		Says: "Fewer than five wrong codes were typed for it.", Source: "ASVS 6.6.3; NIST SP 800-63B-4 section 3.2.2",
		Title: "Too many wrong codes. Ask for a new one.", Stops: []string{"REC-09", "MFA-03"}})
	OnceBrowser = check.New(check.Check{Number: 806, ID: "once.browser", Fault: fault.Missing, Shown: "once.browser",
		Says: "The code is typed in the browser that asked for it.", Source: "ASVS 6.6.2",
		Title: "This code belongs to another browser. Use the link in the mail.", Stops: []string{"SES-01"}})
	OnceFits = check.New(check.Check{Number: 807, ID: "once.fits", Fault: fault.Unacceptable, Shown: "once.fits",
		Says: "The code is the one that was sent.", Source: "ASVS 6.6.2",
		Title: "That code does not match.", Stops: []string{"REC-09"}})
)

// HoldOnce holds the checks of a one-time object but those of its code, in
// order, and says whether all held. A judgement declares these five:
// OnceKnown, OnceStands, OnceUnspent, OnceInTime, OnceTries.
func HoldOnce(t *check.Trail, s OnceState) bool {
	return t.Hold(OnceKnown, s != OnceUnknown) &&
		t.Hold(OnceStands, s != OnceDead) &&
		t.Hold(OnceUnspent, s != OnceSpent) &&
		t.Hold(OnceInTime, s != OnceOver) &&
		t.Hold(OnceTries, s == OnceGood)
}
