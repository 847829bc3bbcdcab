// Package token holds what a session is carried as: refresh families and
// access tokens, their formats and the judgement of each.
package token

import (
	"time"

	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/session"
)

type familyKind struct{}

func (familyKind) Prefix() string { return "fam" }

// FamilyID names a refresh family. It is inside refresh tokens and nowhere else outside.
type FamilyID = id.ID[familyKind]

// NewFamilyID makes one.
func NewFamilyID(now time.Time, random [16]byte) FamilyID { return id.New[familyKind](now, random) }

// GrantOf is the grant of a first-party client in a session.
func GrantOf(s session.ID, clientID string) client.GrantID {
	return client.GrantFrom(secret.MAC(s[:], "grant", []byte(clientID)))
}

// A Family is every refresh token that came of one grant, in one row.
type Family struct {
	ID         FamilyID
	Client     string
	Session    session.ID
	User       identity.UserID
	KeyTag     [4]byte  // of the key that derives its successors
	Salt       [16]byte // its own
	Generation uint32   // of the current token, from 0
	Current    [32]byte // hash of the current token's secret
	Rev        uint64
	Scopes     []string
	Created    time.Time
	RotatedAt  time.Time
	IdleUntil  time.Time
	MaxUntil   time.Time
	Ended      time.Time // zero while it stands
	Consent    client.GrantID
	Terms      Terms
}

// Terms are what was agreed when a code was made, for every token that comes
// of it.
type Terms struct {
	Resources []string  `json:"resources,omitempty"`
	Offline   bool      `json:"offline,omitzero"` // it outlives its session (OIDC Core section 11)
	AuthTime  time.Time `json:"auth_time,omitzero"`
	ACR       string    `json:"acr,omitzero"`
	AMR       []string  `json:"amr,omitempty"`
	Details   []string  `json:"details,omitempty"` // authorization details (RFC 9396)
	Claims    []string  `json:"claims,omitempty"`  // that the ID token was asked to hold, by name
	Confirm   Confirm   `json:"cnf,omitzero"`      // what its holder proves to have, for public clients
}

// A Confirm names the key that a token's holder proves to have: by DPoP (RFC
// 9449 section 6.1) or by a certificate (RFC 8705 section 3.1). The zero value
// is a token that whoever has it may use.
type Confirm struct {
	JKT string `json:"jkt,omitzero"`
	X5T string `json:"x5t#S256,omitzero"`
}

// Exists says whether the row was found.
func (f Family) Exists() bool { return !f.ID.IsZero() }

// Lifetimes of refresh families.
type Lifetimes struct {
	Access time.Duration // of an access token
	Idle   time.Duration // of a family that is not used
	Max    time.Duration // of a family
	Grace  time.Duration // in which a lost answer may be asked for again
	Leeway time.Duration // of clocks that are not ours
	Code   time.Duration // of an authorization code
	ID     time.Duration // of an ID token
}

// For are the lifetimes of a client's tokens: its own, where it has some, and
// never beyond what the deployment keeps a family or a key for.
func (l Lifetimes) For(c client.Client) Lifetimes {
	own := func(d *time.Duration, seconds int64) {
		if seconds > 0 {
			*d = time.Duration(seconds) * time.Second
		}
	}
	most := l.Max
	own(&l.Access, c.AccessLife)
	own(&l.ID, c.IDLife)
	own(&l.Idle, c.RefreshIdle)
	own(&l.Max, c.RefreshMax)
	l.Max = min(l.Max, most)
	l.Idle = min(l.Idle, l.Max)
	return l
}

// Until says when a family ends that is used at now.
func (l Lifetimes) Until(now, maxUntil time.Time) time.Time {
	if idle := now.Add(l.Idle); idle.Before(maxUntil) {
		return idle
	}
	return maxUntil
}

func hashOf(s [32]byte) [32]byte { return secret.Hash("refresh", s[:]) }

// successor derives the secret of the next generation from its parent's.
// Whoever holds the parent can be given the same successor again; whoever
// reads the row can derive nothing.
func successor(k key.RefreshKey, f FamilyID, salt [16]byte, generation uint32, parent [32]byte) [32]byte {
	return secret.MAC(k.Next, "refresh successor", f[:], salt[:], be32(generation), parent[:])
}

// First makes the family's first token from a random secret.
func First(k key.RefreshKey, f FamilyID, random [32]byte) (wire string, current [32]byte) {
	return Wire{Tag: k.Tag, Family: f, Secret: random}.encode(k), hashOf(random)
}

// Weighed is a presented token held against its family, before any verdict.
type Weighed struct {
	Generation uint32
	Authentic  bool // we made it: the MAC is good, under a key that is not compromised
	Current    bool // its secret is the current one
	Parent     bool // the current secret derives from its own
	child      [32]byte
	key        key.RefreshKey
	family     FamilyID
}

// Weigh holds a token against its family.
func Weigh(w Wire, f Family, keys []key.RefreshKey) Weighed {
	out := Weighed{Generation: w.Generation, family: f.ID}
	mac, known := find(keys, w.Tag)
	next, owns := find(keys, f.KeyTag)
	if !known || !owns || !f.Exists() || f.ID != w.Family {
		return out
	}
	out.Authentic = w.authentic(mac)
	h := hashOf(w.Secret)
	out.Current = secret.Equal(h[:], f.Current[:])
	out.child = successor(next, f.ID, f.Salt, w.Generation+1, w.Secret)
	c := hashOf(out.child)
	out.Parent = secret.Equal(c[:], f.Current[:])
	// A compromised key's MAC is no evidence; a secret that fits still is.
	if mac.Compromised && !out.Current && !out.Parent {
		out.Authentic = false
	}
	out.key = next
	return out
}

// Successor is the token that follows the weighed one, and the hash of its
// secret: the same for every retry.
func (w Weighed) Successor() (wire string, hash [32]byte) {
	n := Wire{Tag: w.key.Tag, Family: w.family, Generation: w.Generation + 1, Secret: w.child}
	return n.encode(w.key), hashOf(w.child)
}

func find(keys []key.RefreshKey, tag [4]byte) (key.RefreshKey, bool) {
	for _, k := range keys {
		if k.Tag == tag {
			return k, true
		}
	}
	return key.RefreshKey{}, false
}

// A Verdict says what a presented refresh token is to its family (RFC 9700
// section 4.14.2).
type Verdict int

// The zero value gives nothing. The order is the order of judgement.
const (
	Foreign Verdict = iota // not ours, or its secret does not fit
	Future                 // ours, and newer than the database: the database went back in time
	Dead                   // the family or something it hangs on has ended
	Expired                // unused for too long, or too old
	Reused                 // its child was used: two holders
	Late                   // its child was never used, but the grace is over: a lost answer, more often than a theft
	Replay                 // inside the grace: the same successor again
	Rotate                 // the current token
)

// Judge says what a token is to its family. ancestors says whether session,
// person and client still stand at the family's position. Its table test is
// the specification.
func Judge(w Weighed, f Family, ancestors bool, now time.Time, grace time.Duration) Verdict {
	switch {
	case !f.Exists() || !w.Authentic:
		return Foreign
	case w.Generation > f.Generation:
		return Future
	case w.Generation == f.Generation && !w.Current,
		w.Generation+1 == f.Generation && !w.Parent:
		return Foreign
	case !f.Ended.IsZero() || !ancestors:
		return Dead
	case !now.Before(f.IdleUntil) || !now.Before(f.MaxUntil):
		return Expired
	case w.Generation == f.Generation:
		return Rotate
	case w.Generation+1 < f.Generation:
		return Reused
	case grace <= 0 || now.Sub(f.RotatedAt) > grace:
		return Late
	}
	return Replay
}
