package factor

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/doorward/doorward/internal/core/check"
)

// Bounds of a password. Nothing shorter than 64 characters may be refused as
// too long (SP 800-63B-4 section 3.1.1.2); these bound what a stranger can
// make us normalise and hash.
const (
	MaxPasswordBytes  = 1024 // as sent
	MaxPasswordPoints = 256  // code points of the normal form
)

// A Finding is what Judge has to say of a new password. The zero value is not
// Fine.
type Finding uint8

// The findings.
const (
	NotText     Finding = iota // not UTF-8, or holds a NUL
	TooLong                    // over MaxPasswordBytes or MaxPasswordPoints
	TooShort                   // under the least number of code points
	ContextWord                // is the person's address, its domain, or the product's name
	Common                     // is on the list of common passwords
	Fine
)

// String returns the finding as a word for logs and interfaces.
func (f Finding) String() string {
	words := [...]string{"not_text", "too_long", "too_short", "context_word", "common", "fine"}
	if int(f) < len(words) {
		return words[f]
	}
	return "unknown"
}

// Words that say what is wrong with a password. They are shown to whoever chose it.
var findings = map[Finding]check.Word{
	NotText:     check.NewWord(21, "it is not text"),
	TooLong:     check.NewWord(22, "it is too long"),
	TooShort:    check.NewWord(23, "it is too short"),
	ContextWord: check.NewWord(24, "it is the address or the name of this service"),
	Common:      check.NewWord(25, "it is in lists of common passwords"),
}

// Details are what a trail keeps of the finding; none when it is Fine.
func (f Finding) Details() []check.Detail {
	if w, ok := findings[f]; ok {
		return []check.Detail{check.As(w)}
	}
	return nil
}

// Judge says whether a person may choose this password: PW-01 (least is
// counted in code points, 15 where the password stands alone), PW-02 and PW-04.
// Words are what an attacker tries first for this one person; see
// ContextWords. Password and words are compared as wholes, without regard to
// case: a long phrase that happens to hold the product's name is a good
// password. There are no rules of composition (PW-03).
func Judge(password string, least int, words []string) Finding {
	nfc, finding := normal(password)
	if finding != Fine {
		return finding
	}
	if utf8.RuneCountInString(nfc) < least {
		return TooShort
	}
	same := func(word string) bool { return strings.EqualFold(nfc, norm.NFC.String(word)) }
	if slices.ContainsFunc(words, same) {
		return ContextWord
	}
	if common(nfc) {
		return Common
	}
	return Fine
}

// ContextWords returns the words of Judge for a person with this address: the
// address, its local part (also without a "+tag"), its domain and each label
// of that; then the names as given, for instance those of the product and the
// organization.
func ContextWords(email string, names ...string) []string {
	words := []string{email}
	if at := strings.LastIndexByte(email, '@'); at >= 0 {
		local, domain := email[:at], email[at+1:]
		bare, _, _ := strings.Cut(local, "+")
		words = append(words, local, bare, domain)
		words = append(words, strings.Split(domain, ".")...)
	}
	return append(words, names...)
}

// IsCommon reports whether a password is on the list of common passwords, for
// passwords set before they were listed.
func IsCommon(password string) bool {
	nfc, finding := normal(password)
	return finding == Fine && common(nfc)
}

// normal returns the normal form of a password (NFC, so that one keyboard's
// "e" with accent is another's), or why it cannot be one: NotText or TooLong.
// The bytes are counted first, so a long input costs nothing.
func normal(password string) (string, Finding) {
	if len(password) > MaxPasswordBytes {
		return "", TooLong
	}
	if !utf8.ValidString(password) || strings.IndexByte(password, 0) >= 0 {
		return "", NotText
	}
	nfc := norm.NFC.String(password)
	if utf8.RuneCountInString(nfc) > MaxPasswordPoints {
		return "", TooLong
	}
	return nfc, Fine
}

// foldRune returns one rune for all that differ by case only, the same
// relation that strings.EqualFold has.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
