package ledger

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
)

// SealAtMost is how many entries one segment takes.
const SealAtMost = 2048

// A Segment is a run of entries, packed, chained to the one before it and
// signed. A changed, missing or reordered segment breaks every one after it.
type Segment struct {
	Chain     Chain
	Number    uint64 // 1, 2, ... in each chain
	Count     int
	First     time.Time
	Last      time.Time
	Prev      [32]byte
	Body      []byte // deflated entries, each behind its length
	Hash      [32]byte
	Signature []byte
}

// Append adds a sealed segment. Unique by chain and number: of two sealers
// one wins.
type Append struct {
	Chain     Chain
	Number    uint64
	Count     int
	First     time.Time
	Last      time.Time
	Prev      [32]byte
	Body      []byte
	Hash      [32]byte
	Signature []byte
}

// Index makes a segment findable by a person, a session or a reference.
type Index struct {
	Subject [16]byte
	Chain   Chain
	Number  uint64
}

// Drop removes entries that were sealed: exactly those.
type Drop struct{ IDs []ID }

// Tally counts refusals of nobody known, by minute, check and network, so
// that a flood of strangers costs rows by the minute and not by the request.
type Tally struct {
	Minute   time.Time
	Exchange uint16
	Check    uint16
	Network  string
	Count    int
}

// Erase removes the personal fields of entries older than an instant. The
// entries keep their commitment to them, and the chain stays whole.
type Erase struct {
	IDs    []ID
	Before time.Time
}

// Uncount removes a tally.
type Uncount struct {
	Minute   time.Time
	Exchange uint16
	Check    uint16
	Network  string
}

// Unindex removes a segment from what a subject is found by.
type Unindex struct {
	Subject [16]byte
	Chain   Chain
	Number  uint64
}

// Discard removes the oldest segment of a chain when everything in it is older
// than an instant. Never the newest, which the next one is chained to.
type Discard struct {
	Chain  Chain
	Number uint64
	Before time.Time
}

func (Append) Changes() string { return "ledger_segments" }
func (Index) Changes() string  { return "ledger_index" }
func (Drop) Changes() string   { return "ledger_open" }
func (Tally) Changes() string  { return "ledger_tally" }

func (Erase) Changes() string   { return "ledger_private" }
func (Uncount) Changes() string { return "ledger_tally" }
func (Unindex) Changes() string { return "ledger_index" }
func (Discard) Changes() string { return "ledger_segments" }

// Rows is how many rows a Drop must remove.
func (d Drop) Rows() int { return len(d.IDs) }

// A Past selects the entries of one subject in one chain, from a cursor back.
type Past struct {
	Subject [16]byte
	Chain   Chain
	Before  ID        // only what is older than this entry; zero starts at the newest
	Since   time.Time // nothing older than this
	Limit   int
}

// Reader is what is read of the ledger.
type Reader interface {
	// OpenEntries lists unsealed bodies of a chain, oldest first.
	OpenEntries(c Chain, limit int) []Record
	// Unsealed counts what OpenEntries would list of all chains.
	Unsealed() int
	// LastSegment is the newest of a chain; the zero Segment when there is none.
	LastSegment(Chain) Segment
	// Segments lists a chain from a number on.
	Segments(c Chain, from uint64, limit int) []Segment
	// EntriesOf lists the entries of a subject, newest last.
	EntriesOf(subject [16]byte, limit int) []Entry
	// EntriesPast lists what a Past selects, newest first, each with its
	// personal fields where they are still kept.
	EntriesPast(Past) []Entry
	// Private puts the personal fields to entries, where they are still kept.
	Private([]Entry) []Entry
	// EntryByRef finds the entry of a refusal by its reference.
	EntryByRef(ref string) (Entry, bool)
	// PastPrivate lists what Erase would remove.
	PastPrivate(before time.Time, limit int) []ID
	// Issues lists what was counted for an application in a minute.
	Issues(client string, minute time.Time) []Issue
	// PastTallies lists tallies of minutes before an instant.
	PastTallies(before time.Time, limit int) []Tally
}

// Seal packs entries into the segment that follows last.
func Seal(last Segment, chain Chain, entries []Record, k ed25519.PrivateKey) (Append, error) {
	var body bytes.Buffer
	w, err := flate.NewWriter(&body, flate.BestSpeed)
	if err != nil {
		return Append{}, err
	}
	for _, e := range entries {
		if _, err := w.Write(append(binary.AppendUvarint(nil, uint64(len(e.Body))), e.Body...)); err != nil {
			return Append{}, err
		}
	}
	if err := w.Close(); err != nil {
		return Append{}, err
	}
	a := Append{Chain: chain, Number: last.Number + 1, Count: len(entries), First: entries[0].At, Last: entries[len(entries)-1].At,
		Prev: last.Hash, Body: body.Bytes()}
	a.Hash = Segment(a).hash()
	a.Signature = ed25519.Sign(k, a.Hash[:])
	return a, nil
}

func (s Segment) hash() [32]byte {
	n := binary.BigEndian.AppendUint64([]byte{byte(s.Chain)}, s.Number)
	n = binary.BigEndian.AppendUint64(n, uint64(s.Count))
	return secret.Hash("ledger segment", append(append(n, s.Prev[:]...), s.Body...))
}

// Verify says whether a segment follows another and was signed by the
// one of the ledger's keys. It needs nothing but the two segments and the
// public keys.
func (s Segment) Verify(before Segment, keys ...ed25519.PublicKey) error {
	switch {
	case s.Number != before.Number+1:
		return fmt.Errorf("ledger: segment %d follows %d: one is missing", s.Number, before.Number)
	case s.Prev != before.Hash:
		return fmt.Errorf("ledger: segment %d does not follow what stands before it", s.Number)
	case s.hash() != s.Hash:
		return fmt.Errorf("ledger: segment %d was changed", s.Number)
	case !slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return ed25519.Verify(k, s.Hash[:], s.Signature) }):
		return fmt.Errorf("ledger: segment %d was not signed by this ledger's key", s.Number)
	}
	return nil
}

// maxSegment bounds what a segment may inflate to.
const maxSegment = SealAtMost * 4096

// Entries unpacks a segment.
func (s Segment) Entries() ([]Entry, error) {
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(s.Body)), maxSegment))
	if err != nil {
		return nil, fmt.Errorf("ledger: segment %d: %w", s.Number, err)
	}
	var out []Entry
	for len(plain) > 0 {
		n, used := binary.Uvarint(plain)
		if used <= 0 || n > uint64(len(plain)-used) {
			return nil, ErrForm
		}
		e, err := Unpack(plain[used : used+int(n)])
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		plain = plain[used+int(n):]
	}
	return out, nil
}
