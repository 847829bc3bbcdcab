// Package outbox holds who must be told: a mail is written down in the unit
// that makes it necessary, sealed, and sent behind it. Nobody waits for a mail
// server, and none of what was promised is lost with a process.
package outbox

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/identity"
)

type kindOfID struct{}

func (kindOfID) Prefix() string { return "mail" }

// ID names a message; it is the same at every try, so that who gets a mail
// twice can see that it is one.
type ID = id.ID[kindOfID]

// NewID makes one.
func NewID(now time.Time, random [16]byte) ID { return id.New[kindOfID](now, random) }

// A Kind is one mail of the handbook. The number is on disk, the name finds
// the words.
type Kind uint8

// The mails.
const (
	ConfirmAddress    Kind = iota + 1 // a code and a link that prove an address
	AccountExists                     // sign-up with the address of an account
	SignInCode                        // a code to sign in with
	Recover                           // a code and a link to get back in
	NoAccount                         // recovery of an address that has none
	RecoveryWaiting                   // recovery that must wait: start, half, end
	Recovered                         // recovery is done
	NewDevice                         // a sign-in from a browser not seen before
	MethodChanged                     // a way to sign in was added or removed
	PasswordChanged                   // by the person, or in recovery
	AddressChanging                   // to the old address, with a way back
	AppConnected                      // an application was allowed
	SignedOutForYou                   // sessions were ended for safety
	Invitation                        // to make an account
	DeviceAllowed                     // a device was allowed
	DeletionAsked                     // an account will be deleted
	ExportReady                       // a copy of a person's data is ready
	RoleGiven                         // a person is now an administrator
	NeedsYou                          // a digest for administrators
	Test                              // asked for by an operator
	ConfirmNewAddress                 // a code and a link, to the new address
	AddressRestored                   // a change of address was taken back
	Deleted                           // an account is gone
	// LogoutNotice is no mail: it tells an application that a session ended.
	LogoutNotice
)

var names = [...]string{"", "confirm_address", "account_exists", "sign_in_code", "recover", "no_account", "recovery_waiting", "recovered", "new_device",
	"method_changed", "password_changed", "address_changing", "app_connected", "signed_out", "invitation", "device_allowed", "deletion_asked", "export_ready",
	"role_given", "needs_you", "test", "confirm_new_address", "address_restored", "deleted", "logout_notice"}

// String is the name by which the words of a mail are found.
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return ""
}

// Facts are what a mail says beside its words. Empty ones are left out.
type Facts struct {
	Name   string    `json:"name,omitzero"`   // of the person
	Code   string    `json:"code,omitzero"`   // eight digits
	Link   string    `json:"link,omitzero"`   // path and query on the issuer
	Until  time.Time `json:"until,omitzero"`  // when code and link end, or something happens
	When   time.Time `json:"when,omitzero"`   // it happened
	Device string    `json:"device,omitzero"` // "Firefox on Linux"
	Place  string    `json:"place,omitzero"`  // "Madrid, ES"
	IP     string    `json:"ip,omitzero"`
	How    string    `json:"how,omitzero"`   // "password"
	By     string    `json:"by,omitzero"`    // who did it, when it was not the person
	Mail   string    `json:"mail,omitzero"`  // another address that is spoken of
	Count  int       `json:"count,omitzero"` // of what ended
	App    string    `json:"app,omitzero"`   // an application, by its own name
}

// A Message is one mail to one person. To comes from a stored row, never from
// a request, but where a request's address is what is to be proved.
type Message struct {
	ID      ID              `json:"-"`
	Kind    Kind            `json:"-"`
	User    identity.UserID `json:"-"` // zero when there is no account
	Created time.Time       `json:"-"`
	Expires time.Time       `json:"-"` // after which it is of no use to anybody
	To      string          `json:"to"`
	Lang    string          `json:"lang,omitzero"`
	Facts   Facts           `json:"facts"`
	Logout  Logout          `json:"logout,omitzero"` // of a LogoutNotice, instead of all that a mail has
}

// A Logout says whose session ended, to one application.
type Logout struct {
	Client  string `json:"client"`
	Session string `json:"sid"`
	Subject string `json:"sub"` // as that application knows the person
}

// KeptFor is how long sending is tried of a mail that does not say.
const KeptFor = 24 * time.Hour

// Tell writes a message down.
type Tell struct {
	ID      ID
	Kind    Kind
	User    identity.UserID
	Created time.Time
	Expires time.Time
	Sealed  []byte
}

// A Waiting message.
type Waiting struct {
	ID      ID
	Kind    Kind
	User    identity.UserID
	Created time.Time
	Due     time.Time
	Expires time.Time
	Tries   int
	Sealed  []byte
}

// Claim takes a message to send it: of two nodes one has it until then.
type Claim struct {
	ID    ID
	Due   time.Time // as it was read
	Until time.Time
}

// Failed counts a sending that failed, and says when the next one is.
type Failed struct {
	ID    ID
	Due   time.Time // as it was claimed
	Until time.Time
}

// Done forgets a message that was handed over.
type Done struct{ ID ID }

// Drop forgets messages that are of no use any more.
type Drop struct{ Now time.Time }

func (Tell) Changes() string   { return "outbox" }
func (Claim) Changes() string  { return "outbox" }
func (Failed) Changes() string { return "outbox" }
func (Done) Changes() string   { return "outbox" }
func (Drop) Changes() string   { return "outbox" }

// Reader is what is read of the outbox.
type Reader interface {
	// Outbox lists messages that are due, the longest due first.
	Outbox(due time.Time, limit int) []Waiting
	// Unsent counts all that wait.
	Unsent() int
}

func place(i ID) string { return "outbox/" + i.String() }

// Seal makes the write of a message: links and codes are secrets, so what it
// says is sealed until it is sent, and gone afterwards.
func (m Message) Seal(s *secret.Sealer) (Tell, error) {
	if m.Expires.IsZero() {
		m.Expires = m.Created.Add(KeptFor)
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return Tell{}, err
	}
	return Tell{ID: m.ID, Kind: m.Kind, User: m.User, Created: m.Created, Expires: m.Expires, Sealed: s.Seal(place(m.ID), plain)}, nil
}

// Open reads a message back.
func (w Waiting) Open(s *secret.Sealer) (Message, error) {
	m := Message{ID: w.ID, Kind: w.Kind, User: w.User, Created: w.Created, Expires: w.Expires}
	plain, err := s.Open(place(w.ID), w.Sealed)
	if err != nil {
		return Message{}, err
	}
	return m, json.Unmarshal(plain, &m)
}

// Next is when a message is tried again after so many tries: soon at first,
// for a server that was busy, then seldom, for one that is down.
func Next(tries int, now time.Time) time.Time {
	waits := []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute}
	return now.Add(waits[min(max(tries, 0), len(waits)-1)])
}
