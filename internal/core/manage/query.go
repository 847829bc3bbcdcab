package manage

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

// Checks of an operator's queries.
var (
	queryForm = check.New(check.Check{Number: 311, ID: "query.form", Fault: fault.Unacceptable, Shown: "query.form",
		Says:   "The query has only words that it knows: user:, client:, net:, method:, state:, with - before them for all others, since: and before:.",
		Source: "ASVS 2.2.1", Title: "The query cannot be read. Its words are user:, client:, net:, method:, state:, since: and before:, each once."})
	clientFound = check.New(check.Check{Number: 531, ID: "client.found", Fault: fault.Missing, Shown: "client.found",
		Says: "There is such an application.", Source: "RFC 9110 section 15.5.5", Title: "There is no such application."})
)

const (
	queryAtMost = 1024 // bytes
	wordsAtMost = 32
)

// A word of a query: what it is about, what it says, and whether it names
// those that are left out.
type word struct {
	name, value string
	not         bool
}

// A query selects sessions. Every word must hold; without words it selects
// nothing, for nobody means everything by saying nothing.
type query struct {
	words         []word
	user          identity.UserID // when one person's sessions are meant
	since, before time.Time
	nets          map[string]netip.Prefix
	missing       *check.Check // a person or application that is not there
}

// parseQuery reads the words of a query, each strictly, and nothing else: a
// word that was misspelt must not select more than was meant.
func parseQuery(text string) (query, bool) {
	q := query{nets: map[string]netip.Prefix{}}
	if len(text) > queryAtMost {
		return query{}, false
	}
	for _, w := range strings.Fields(text) {
		rest, not := strings.CutPrefix(w, "-")
		name, value, _ := strings.Cut(rest, ":")
		x := word{name, value, not}
		if len(q.words) == wordsAtMost || !q.takes(&x) {
			return query{}, false
		}
		q.words = append(q.words, x)
	}
	slices.SortFunc(q.words, func(a, b word) int { return strings.Compare(a.String(), b.String()) })
	return q, true
}

func (w word) String() string {
	if w.not {
		return "-" + w.name + ":" + w.value
	}
	return w.name + ":" + w.value
}

// takes reads one word into the query and puts its value into its one
// spelling. A word may be said once, its negation with as many values as
// there are; since: and before: are each other's.
func (q *query) takes(w *word) bool {
	for _, o := range q.words {
		if o == *w || o.name == w.name && !o.not && !w.not {
			return false
		}
	}
	switch w.name {
	case "user":
		// Who that is, is for the store to say.
		return w.value != "" && len(w.value) <= 320
	case "client":
		return client.ValidID(w.value)
	case "method":
		return name(w.value)
	case "state":
		return w.value == "live" || w.value == "ended"
	case "net":
		p, ok := network(w.value)
		w.value = p.String()
		q.nets[w.value] = p
		return ok
	case "since", "before":
		t, ok := day(w.value)
		w.value = t.Format(time.RFC3339Nano)
		if w.name == "since" {
			q.since = t
		} else {
			q.before = t
		}
		return ok && !w.not
	}
	return false
}

// name is a word of ours, such as a method: small letters, digits and _.
func name(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

// network reads an address or a range of them. A range whose address has bits
// behind the mask is refused: it may be more than was meant.
func network(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, p == p.Masked() && !p.Addr().Is4In6()
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.Is4In6() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// day reads a day, which begins at midnight UTC, or an instant.
func day(s string) (time.Time, bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, t.Year() > 0
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	t = t.UTC()
	return t, err == nil && t.Year() > 0 && t.Year() <= 9999 && t.Nanosecond()%1000 == 0
}

// String is the query in its one spelling.
func (q query) String() string {
	out := make([]string, len(q.words))
	for i, w := range q.words {
		out[i] = w.String()
	}
	return strings.Join(out, " ")
}

// only says whether the query is one word, beside state:live, and which value
// it has.
func (q query) only(name string) (value string, ok bool) {
	for _, w := range q.words {
		switch {
		case w == word{"state", "live", false}:
		case w.name == name && !w.not && value == "":
			value = w.value
		default:
			return "", false
		}
	}
	return value, value != ""
}

// positive is the value of a word that is not negated.
func (q query) positive(name string) string {
	for _, w := range q.words {
		if w.name == name && !w.not {
			return w.value
		}
	}
	return ""
}

// named looks up the people and applications that the query names, by which
// they are then known whatever becomes of their addresses.
func (q query) named(v core.View) query {
	q.words, q.missing = slices.Clone(q.words), nil
	for i, w := range q.words {
		switch w.name {
		case "user":
			u := find(v, w.value)
			if !u.Exists() {
				q.missing = identity.Found
				return q
			}
			q.words[i].value = u.ID.String()
			if !w.not {
				q.user = u.ID
			}
		case "client":
			if !v.Client(w.value).Exists() {
				q.missing = clientFound
				return q
			}
		}
	}
	return q
}

// selects says whether a session is one of those that the query means.
func (q query) selects(r session.Row, live bool) bool {
	for _, w := range q.words {
		if q.holds(w, r, live) == w.not {
			return false
		}
	}
	return len(q.words) > 0
}

func (q query) holds(w word, r session.Row, live bool) bool {
	switch w.name {
	case "user":
		return r.User.String() == w.value
	case "client":
		return slices.Contains(r.Clients, w.value)
	case "method":
		return r.Method == w.value
	case "state":
		return live == (w.value == "live")
	case "net":
		a, err := netip.ParseAddr(r.IP)
		return err == nil && q.nets[w.value].Contains(a.Unmap())
	case "since":
		return !r.Created.Before(q.since)
	case "before":
		return r.Created.Before(q.before)
	}
	return false
}

// span is the run of sessions in which those lie that the query means and that
// had begun at an instant.
func (q query) span(asOf time.Time) session.Span {
	until := asOf
	if !q.before.IsZero() && q.before.Before(until) {
		until = q.before
	}
	s := session.Span{User: q.user}
	s.After, s.Upto = session.IDsOf(q.since, until)
	return s
}
