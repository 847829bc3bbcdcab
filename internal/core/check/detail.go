package check

import (
	"fmt"
	"time"
)

// A Detail is what may be kept beside an outcome: a count, an instant, a
// duration or a word of ours. There is no way to make one from a string of the
// request, so nothing a stranger sent can reach the ledger.
type Detail struct {
	kind detailKind
	n    int64
}

type detailKind uint8

const (
	kindCount detailKind = iota + 1
	kindInstant
	kindWait
	kindAge
	kindWord
)

// Count is a number of things.
func Count(n int) Detail { return Detail{kindCount, int64(n)} }

// At is an instant.
func At(t time.Time) Detail { return Detail{kindInstant, t.UnixMicro()} }

// Wait is how long until it is worth asking again.
func Wait(d time.Duration) Detail { return Detail{kindWait, int64(d)} }

// Age is the greatest age a proof may have.
func Age(d time.Duration) Detail { return Detail{kindAge, int64(d)} }

// A Word is one of a closed list that a noun declares beside its checks.
type Word uint16

var words = map[Word]string{}

// NewWord declares a word by its number on disk.
func NewWord(number uint16, text string) Word {
	w := Word(number)
	if _, taken := words[w]; taken || number == 0 || text == "" {
		panic(fmt.Sprintf("check: word %d %q is declared twice", number, text))
	}
	words[w] = text
	return w
}

// String is the word's text; the zero Word has none.
func (w Word) String() string { return words[w] }

// As is a word as a detail.
func As(w Word) Detail { return Detail{kindWord, int64(w)} }

// String is the detail for people.
func (d Detail) String() string {
	switch d.kind {
	case kindCount:
		return fmt.Sprint(d.n)
	case kindInstant:
		return time.UnixMicro(d.n).UTC().Format(time.RFC3339)
	case kindWait:
		return "again in " + time.Duration(d.n).Round(time.Second).String()
	case kindAge:
		return "at most " + time.Duration(d.n).String() + " ago"
	case kindWord:
		return words[Word(d.n)]
	}
	return ""
}

// Pack and Unpack are the form on disk.
func (d Detail) Pack() (kind uint8, n int64) { return uint8(d.kind), d.n }

// Unpack reads what Pack wrote; a kind of a later version reads as nothing.
func Unpack(kind uint8, n int64) Detail { return Detail{detailKind(kind), n} }
