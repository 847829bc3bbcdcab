package token

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

// Bounds of a device that waits for its person (RFC 8628; security defaults 3.3).
const (
	DeviceFor      = 10 * time.Minute
	DeviceInterval = 5 * time.Second // between two polls; as much again for each that came too early
	// deviceEarly is how much earlier than said a poll may arrive: networks are
	// not regular.
	deviceEarly = time.Second
)

// userCodeLetters are those of user codes: no vowels, so no words, and nothing
// that looks like a digit (RFC 8628 section 6.1).
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

const userCodeLen = 8

// NewUserCode makes a code that a person types: 34 bits.
func NewUserCode() string { return secret.Text(userCodeLetters, userCodeLen) }

// ShowUserCode writes a user code for people, in two groups.
func ShowUserCode(code string) string {
	return code[:userCodeLen/2] + "-" + code[userCodeLen/2:]
}

// ParseUserCode reads a typed code: any case, with spaces and hyphens between
// the letters for the eye, and nothing else.
func ParseUserCode(typed string) (string, bool) {
	code := make([]byte, 0, userCodeLen)
	for i := range len(typed) {
		c := typed[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		switch {
		case c == ' ' || c == '-':
		case len(code) < userCodeLen && strings.IndexByte(userCodeLetters, c) >= 0:
			code = append(code, c)
		default:
			return "", false
		}
	}
	return string(code), len(code) == userCodeLen
}

// DevicePrefix begins every device code.
const DevicePrefix = "dw_dc_"

// NewDeviceCode is the text of a device code.
func NewDeviceCode(random [32]byte) string { return DevicePrefix + secret.Encode(random[:]) }

// ParseDeviceCode reads it.
func ParseDeviceCode(s string) ([]byte, bool) {
	rest, ok := strings.CutPrefix(s, DevicePrefix)
	if !ok {
		return nil, false
	}
	return ParseLink(rest)
}

// A Device is what waits for a person to allow it, in the body of its one-time
// object.
type Device struct {
	Client    string          `json:"client"`
	Scopes    []string        `json:"scopes"`
	Resources []string        `json:"resources,omitempty"`
	IP        string          `json:"ip,omitzero"`
	Agent     string          `json:"ua,omitzero"`
	Interval  int64           `json:"interval"` // seconds
	Polled    time.Time       `json:"polled,omitzero"`
	Reply     Reply           `json:"reply,omitzero"`
	User      identity.UserID `json:"user,omitzero"` // who typed the code
	Session   session.ID      `json:"session,omitzero"`
	Consent   client.GrantID  `json:"consent,omitzero"`
	Rev       uint64          `json:"rev,omitzero"` // of the answer
	Terms     Terms           `json:"terms,omitzero"`
}

// A Reply is what the person said. The zero value is nothing yet.
type Reply uint8

// Replies.
const (
	Unanswered Reply = iota
	Allowed
	Refused
)

// Pack is the form on disk.
func (d Device) Pack() []byte {
	b, err := json.Marshal(d, json.Deterministic(true))
	if err != nil {
		panic("token: a device is no document: " + err.Error())
	}
	return b
}

// Device reads what a one-time object of a device holds.
func (o Once) Device() (d Device) {
	if o.Use != ForDevice || json.Unmarshal(o.Body, &d) != nil {
		return Device{}
	}
	return d
}

// Waits says whether a device waits for its person.
func (o Once) Waits(now time.Time) bool {
	return o.Use == ForDevice && o.Spent.IsZero() && now.Before(o.Expires) && o.Device().Reply == Unanswered
}

// Poll notes that the device asked, and says whether it waited as long as it
// was told to; if not, it has to wait longer from now on (RFC 8628 section 3.5).
func (d Device) Poll(now time.Time) (Device, bool) {
	patient := d.Polled.IsZero() || now.Sub(d.Polled) >= time.Duration(d.Interval)*time.Second-deviceEarly
	if !patient {
		d.Interval += int64(DeviceInterval.Seconds())
	}
	d.Polled = now
	return d, patient
}

// Note changes what a one-time object holds, when it is still what was judged.
type Note struct {
	ID   OnceID
	Was  []byte
	Body []byte
}

func (Note) Changes() string { return "once" }

// Checks of devices.
var (
	DeviceCalm = check.New(check.Check{Number: 1021, ID: "device.calm", Fault: fault.Slow, Shown: "device.calm",
		Says: "Few enough wrong codes were typed in this session and on this network.", Source: "RFC 8628 section 5.1; ASVS 6.3.1",
		Title: "Too many wrong codes. Wait, and look at the code again.", Stops: []string{"OAU-24"}})
	DeviceKnown = check.New(check.Check{Number: 1022, ID: "device.known", Fault: fault.Unacceptable, Shown: "device.known",
		Says: "A device waits with this code.", Source: "RFC 8628 section 3.3",
		Title: "No device is waiting with this code. Codes end after 10 minutes.", Stops: []string{"OAU-24"}})
	DeviceEntered = check.New(check.Check{Number: 1023, ID: "device.entered", Fault: fault.Unacceptable, Shown: "device.entered",
		Says: "The code was typed in the session that answers.", Source: "RFC 8628 section 5.4",
		Title: "Type the code that your device shows first.", Stops: []string{"OAU-23"}})
	DeviceAuthentic = check.New(check.Check{Number: 1024, ID: "device.authentic", Fault: fault.Grant, Shown: "device.authentic",
		Says: "The device code is one that we gave to this application.", Source: "RFC 8628 section 3.4; RFC 6749 section 5.2",
		Title: "The device code is not one of this application.", Stops: []string{"OAU-16", "OAU-24"}})
	DeviceUnspent = check.New(check.Check{Number: 1025, ID: "device.unspent", Fault: fault.Grant, Shown: "device.unspent",
		Says: "The device code was not traded before.", Source: "RFC 8628 section 3.5",
		Title: "The device code was used already.", Stops: []string{"OAU-24"}})
	DeviceInTime = check.New(check.Check{Number: 1026, ID: "device.in_time", Fault: fault.Grant, Shown: "device.in_time", Code: "expired_token",
		Says: "The device code is at most ten minutes old.", Source: "RFC 8628 section 3.5",
		Title: "The device code has ended. Begin again."})
	DevicePatient = check.New(check.Check{Number: 1027, ID: "device.patient", Fault: fault.Grant, Shown: "device.patient", Code: "slow_down",
		Says: "The device waited between two questions for as long as it was told to.", Source: "RFC 8628 section 3.5",
		Title: "The device asks too often. It has to wait five seconds longer between two questions.", Stops: []string{"OAU-24"}})
	DeviceAnswered = check.New(check.Check{Number: 1028, ID: "device.answered", Fault: fault.Grant, Shown: "device.answered", Code: "authorization_pending",
		Says: "The person has answered.", Source: "RFC 8628 section 3.5", Title: "The person has not answered yet."})
	DeviceAllowed = check.New(check.Check{Number: 1029, ID: "device.allowed", Fault: fault.Denied, Shown: "device.allowed", Code: "access_denied",
		Says: "The person allowed the device.", Source: "RFC 8628 section 3.5", Title: "The person did not allow the device."})
	DeviceStands = check.New(check.Check{Number: 1030, ID: "device.stands", Fault: fault.Grant, Shown: "device.stands",
		Says: "Nothing that the answer hangs on lost trust since: the person, their session, the application, what they allowed.", Source: "RFC 9700 section 4.14.2",
		Title: "What was allowed has ended. Begin again.", Stops: []string{"OAU-12"}})
)
