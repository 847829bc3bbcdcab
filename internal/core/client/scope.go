package client

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// A Scope is a permission in the operator's words, as people read it where
// they allow it: "It will be able to: read your notes".
type Scope struct {
	Name     string
	Says     string
	Optional bool // people may allow the rest without it
	Changed  time.Time
}

// Exists says whether the row was found.
func (s Scope) Exists() bool { return s.Name != "" }

// BuiltIn says whether every deployment has words for a scope. They may be
// replaced.
func (s Scope) BuiltIn() bool { return Personal(s.Name) }

// Identifies says whether a scope only tells who somebody is.
func Identifies(scope string) bool { return Personal(scope) && scope != "offline_access" }

// ScopesAtMost bounds how many permissions have words of their own.
const ScopesAtMost = 500

// Words that name the part of a description that was refused.
var (
	WordScopeName = check.NewWord(225, "scope_name")
	WordScopeSays = check.NewWord(226, "says")
	WordOptional  = check.NewWord(227, "optional")
)

// Checks of what a scope means.
var (
	ScopeForm = check.New(check.Check{Number: 975, ID: "scope.form", Fault: fault.Unacceptable, Shown: "scope.form",
		Says: "The permission has a name, and a sentence that people can read.", Source: "RFC 6749 section 3.3; ASVS 10.7.2",
		Title: "This permission cannot be described like this.", Stops: []string{"OAU-27"}})
	ScopeRoom = check.New(check.Check{Number: 976, ID: "scope.room", Fault: fault.Conflict, Shown: "scope.room",
		Says: "There is room for another described permission.", Source: "ASVS 15.2.2",
		Title: "Too many permissions are described."})
	ScopeFound = check.New(check.Check{Number: 977, ID: "scope.found", Fault: fault.Missing, Shown: "scope.found",
		Says: "The permission is described here.", Source: "RFC 6749 section 3.3",
		Title: "Nobody described this permission."})
)

// Valid judges a description and names the part it refuses.
func (s Scope) Valid() (check.Word, bool) {
	switch {
	case !ValidScope(s.Name):
		return WordScopeName, false
	case !readable(s.Says, 200):
		return WordScopeSays, false
	case s.Optional && s.Name == "openid":
		return WordOptional, false // without it there is nobody to speak of
	}
	return 0, true
}

// readable says whether a line of somebody's own words can stand on a page:
// nothing in it is invisible or turns what follows around.
func readable(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u2028' || r == '\u2029' || r == '\ufeff'
	})
}

// Describe says what a scope means, from now on.
type Describe struct {
	Name     string
	Says     string
	Optional bool
	Changed  time.Time
}

// Undescribe takes an operator's words away.
type Undescribe struct{ Name string }

func (Describe) Changes() string   { return "scopes" }
func (Undescribe) Changes() string { return "scopes" }
