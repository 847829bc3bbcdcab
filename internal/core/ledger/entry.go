// Package ledger records what happened: one entry for each exchange or
// change, written in the unit that caused it and sealed into a signed chain
// behind it.
package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

type entryKind struct{}

func (entryKind) Prefix() string { return "led" }

// ID names an entry.
type ID = id.ID[entryKind]

// ParseID reads the outside form.
func ParseID(s string) (ID, error) { return id.Parse[entryKind](s) }

// NewID makes one.
func NewID(now time.Time, random [16]byte) ID { return id.New[entryKind](now, random) }

// A Chain is one of two, so that dropping old segments breaks neither.
type Chain uint8

const (
	Audit Chain = iota + 1 // changes and security events, kept 400 days
	Rest                   // everything else, kept 90
)

// Personal fields lie apart from the entry under a salt; deleting their row
// erases them and leaves the chain whole.
type Personal struct {
	IP        string `json:"ip,omitzero"`
	UserAgent string `json:"ua,omitzero"`
}

// An Entry says which exchange ran, for whom, which checks ran and how they ended.
type Entry struct {
	ID       ID
	At       time.Time
	Chain    Chain
	Exchange *check.Exchange // nil when this version does not know it
	Number   uint16          // of the exchange
	Refused  bool
	Ref      string
	User     identity.UserID
	Session  session.ID
	Client   string
	Actor    string // who acted when it was not the user: "host:0"
	Steps    []check.Step
	Unknown  int // checks of a later version that this one cannot name
	Personal Personal
	Commit   [16]byte // of the personal fields
}

// Record keeps an entry that is not sealed yet.
type Record struct {
	ID      ID
	At      time.Time
	Chain   Chain
	User    identity.UserID
	Session session.ID
	Body    []byte
}

// Keep keeps the personal fields of an entry.
type Keep struct {
	ID   ID
	At   time.Time
	Salt [16]byte
	Body []byte
}

func (Record) Changes() string { return "ledger_open" }
func (Keep) Changes() string   { return "ledger_private" }

// Writes are the rows of an entry, to go into the unit that caused it.
func (e Entry) Writes(salt [16]byte) (Record, Keep) {
	body, err := json.Marshal(e.Personal)
	if err != nil {
		body = []byte("{}") // not UTF-8: the edge lets none through
	}
	e.Commit = commitment(salt, body)
	return Record{e.ID, e.At, e.Chain, e.User, e.Session, e.pack()}, Keep{e.ID, e.At, salt, body}
}

func commitment(salt [16]byte, body []byte) [16]byte {
	h := secret.MAC(salt[:], "ledger private", body)
	return [16]byte(h[:16])
}

// WithPersonal puts the personal fields back, when they are the ones the
// entry was written with.
func (e Entry) WithPersonal(salt [16]byte, body []byte) Entry {
	if commitment(salt, body) == e.Commit {
		_ = json.Unmarshal(body, &e.Personal)
	}
	return e
}

const (
	packVersion  = 1
	flagRefused  = 1
	maxSteps     = 64
	maxDetails   = 7
	maxTextField = 255
)

// pack is the form on disk: about a hundred bytes.
func (e Entry) pack() []byte {
	b := make([]byte, 0, 160)
	flags := byte(0)
	if e.Refused {
		flags |= flagRefused
	}
	b = append(b, packVersion, byte(e.Chain), flags)
	b = append(b, e.ID[:]...)
	b = binary.AppendVarint(b, e.At.UnixMicro())
	b = binary.AppendUvarint(b, uint64(e.Number))
	for _, s := range []string{e.Ref, e.Client, e.Actor} {
		s = s[:min(len(s), maxTextField)]
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	for _, i := range [][16]byte{e.User, e.Session} {
		if i == ([16]byte{}) {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		b = append(b, i[:]...)
	}
	b = append(b, e.Commit[:]...)
	b = append(b, byte(len(e.Steps)))
	for _, s := range e.Steps {
		b = binary.AppendUvarint(b, uint64(s.Check.Number))
		n := min(len(s.Details), maxDetails)
		held := byte(0)
		if s.Held {
			held = 1
		}
		b = append(b, held|byte(n)<<1)
		for _, d := range s.Details[:n] {
			kind, v := d.Pack()
			b = append(b, kind)
			b = binary.AppendVarint(b, v)
		}
	}
	return b
}

// ErrForm says that bytes are not an entry.
var ErrForm = errors.New("ledger: not an entry")

// Unpack reads what pack wrote. Checks and exchanges of a later version are
// counted, not guessed.
func Unpack(b []byte) (Entry, error) {
	r := reader{b: b}
	if r.byte() != packVersion {
		return Entry{}, ErrForm
	}
	e := Entry{Chain: Chain(r.byte())}
	e.Refused = r.byte()&flagRefused != 0
	e.ID = ID(r.take16())
	e.At = time.UnixMicro(r.varint()).UTC()
	e.Number = uint16(r.uvarint())
	e.Exchange = check.ExchangeNumbered(e.Number)
	e.Ref, e.Client, e.Actor = r.text(), r.text(), r.text()
	if r.byte() == 1 {
		e.User = identity.UserID(r.take16())
	}
	if r.byte() == 1 {
		e.Session = session.ID(r.take16())
	}
	e.Commit = r.take16()
	n := int(r.byte())
	if n > maxSteps {
		return Entry{}, ErrForm
	}
	for range n {
		c := check.Numbered(uint16(r.uvarint()))
		flags := r.byte()
		s := check.Step{Check: c, Held: flags&1 != 0}
		for range flags >> 1 & maxDetails {
			kind := r.byte()
			s.Details = append(s.Details, check.Unpack(kind, r.varint()))
		}
		if c == nil {
			e.Unknown++
			continue
		}
		e.Steps = append(e.Steps, s)
	}
	if r.bad || len(r.b) != 0 {
		return Entry{}, ErrForm
	}
	return e, nil
}

// reader takes values off the front and remembers if there were too few bytes.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, max(0, min(n, 64)))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte       { return r.take(1)[0] }
func (r *reader) take16() [16]byte { return [16]byte(r.take(16)) }
func (r *reader) text() string {
	n := int(r.byte())
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return ""
	}
	return string(r.take(n))
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Subjects are what an entry can be found by.
func (e Entry) Subjects() [][16]byte {
	var out [][16]byte
	for _, s := range [][16]byte{e.User, e.Session} {
		if s != ([16]byte{}) {
			out = append(out, s)
		}
	}
	if e.Ref != "" {
		out = append(out, RefSubject(e.Ref))
	}
	return out
}

// RefSubject is the subject that a refusal's reference stands for.
func RefSubject(ref string) [16]byte {
	h := sha256.Sum256([]byte("ref " + ref))
	return [16]byte(h[:16])
}
