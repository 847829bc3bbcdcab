package session

import (
	"strings"
	"time"

	"github.com/mileusna/useragent"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/identity"
)

// Named says in words which browser stands behind a user agent. What it says
// of itself is not proof of anything; it helps people recognise their own.
func Named(agent string) string {
	if agent == "" {
		return "an app or a tool"
	}
	ua := useragent.Parse(agent)
	switch {
	case isName(ua.Name) && isName(ua.OS):
		return ua.Name + " on " + ua.OS
	case isName(ua.Name):
		return ua.Name
	}
	return "an unknown browser"
}

// isName says whether a word may stand in a mail: whoever signs in with a
// stolen password chooses what their browser calls itself, and must not write
// an address into the mail that warns of them.
func isName(s string) bool {
	const longest = 24
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != ' ' && r != '-'
	})
}

// A Device is a browser that a person signed in from before: it outlives the
// session (ASVS 14.3.1 asks that sign-out takes everything but this away).
type Device struct {
	Key     [32]byte
	User    identity.UserID
	Created time.Time
	Seen    time.Time // the last sign-in
}

// Exists says whether the row was found.
func (d Device) Exists() bool { return !d.User.IsZero() }

const (
	// DevicesAtMost is how many browsers are kept of one person.
	DevicesAtMost = 24
	// DeviceKept is how long a browser is known that is not used.
	DeviceKept = 400 * 24 * time.Hour
	// marksAtMost is how many people one browser's cookie holds a mark of.
	marksAtMost = 4
)

// Marks are what a browser's device cookie holds: one secret for each of the
// last people who signed in there, so that none is known by what another, or
// somebody who planted a cookie, can know (attack SES-02).
type Marks []string

// ParseMarks reads the cookie; whatever is not in its one spelling is no mark.
func ParseMarks(cookie string) (m Marks) {
	for text := range strings.SplitSeq(cookie, ".") {
		if b, ok := secret.Decode(text); ok && len(b) == secret.Size {
			m = append(m, text)
		}
		if len(m) == marksAtMost {
			break
		}
	}
	return m
}

// With puts a new mark in front.
func (m Marks) With(random [32]byte) Marks {
	out := append(Marks{secret.Encode(random[:])}, m...)
	return out[:min(len(out), marksAtMost)]
}

// String is the cookie.
func (m Marks) String() string { return strings.Join(m, ".") }

// DeviceKey is what is kept of a person's mark: nobody can tell from two
// people's rows that they share a browser.
func DeviceKey(u identity.UserID, mark string) [32]byte {
	return secret.MAC([]byte("device"), "device", u[:], []byte(mark))
}

// Recognise keeps a browser as one of a person's, or that it was used again.
type Recognise struct {
	Key  [32]byte
	User identity.UserID
	At   time.Time
}

// Unrecognise forgets one browser.
type Unrecognise struct{ Key [32]byte }

// UnrecogniseAll forgets every browser of a person.
type UnrecogniseAll struct{ User identity.UserID }

// Unvisited forgets browsers that were not used since an instant.
type Unvisited struct{ Before time.Time }

func (Recognise) Changes() string      { return "devices" }
func (Unrecognise) Changes() string    { return "devices" }
func (UnrecogniseAll) Changes() string { return "devices" }
func (Unvisited) Changes() string      { return "devices" }
