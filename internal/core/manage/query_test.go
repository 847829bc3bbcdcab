package manage

import (
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
)

func TestQuery(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 14, 0, 0, time.UTC)
	ana := identity.UserID{1}
	row := session.Row{Session: session.Session{ID: session.ID{2}, User: ana, IP: "203.0.113.7", Method: "password", Created: at}, Clients: []string{"notes", "shop"}}
	other := identity.UserID{9}.String()
	for text, want := range map[string]bool{
		"":                            false, // nobody means everything by saying nothing
		"state:live":                  true,
		"state:ended":                 false,
		"-state:ended":                true,
		"user:" + ana.String():        true,
		"user:" + other:               false,
		"-user:" + other:              true,
		"client:notes":                true,
		"client:films":                false,
		"-client:notes":               false,
		"-client:films -client:music": true,
		"client:shop -client:notes":   false,
		"method:password":             true,
		"method:passkey":              false,
		"net:203.0.113.0/24":          true,
		"net:203.0.113.7":             true,
		"net:203.0.113.8":             false,
		"-net:203.0.113.0/24":         false,
		"net:::/0":                    false,
		"net:0.0.0.0/0":               true,
		"since:2026-11-03":            true,
		"since:2026-11-04":            false,
		"before:2026-11-03":           false,
		"before:2026-11-04":           true,
		"since:2026-11-03T09:14:00Z":  true,
		"before:2026-11-03T09:14:00Z": false, // the instant itself is not before it
		"since:2026-11-03T10:14:00+01:00 before:2026-11-03T09:14:00.000001Z":                                           true,
		"net:203.0.113.0/24 since:2026-11-01 before:2026-12-01 client:notes method:password state:live -user:" + other: true,
	} {
		q, ok := parseQuery(text)
		if !ok {
			t.Errorf("%q cannot be read", text)
		} else if got := q.selects(row, true); got != want {
			t.Errorf("%q selects: %v", text, got)
		}
	}
}

// A word that is not understood refuses the whole query: what is left might
// select more than was meant.
func TestQueriesThatCannotBeRead(t *testing.T) {
	for _, text := range []string{
		"ana", "user:", ":", "-", "-:", "user", "User:ana", "users:ana", "country:ES", "-country:ES", "state:alive", "state:", "--state:live", "state:live state:live",
		"state:live state:ended", "user:a@b.example user:c@d.example", "client:", "client:a/b", "client:user_1", "client:" + strings.Repeat("a", 65), "method:", "method:Password", "method:a-b",
		"net:", "net:203.0.113.7/24", "net:203.0.113.0/33", "net:203.0.113", "net:localhost", "net:fe80::1%eth0", "net:::ffff:203.0.113.7", "net:1.2.3.4 net:1.2.3.4",
		"since:", "since:yesterday", "since:2026-13-01", "since:2026-11-01T00:00:00", "-since:2026-11-01", "before:2026-11-01 before:2026-11-02", "since:2026-11-01T00:00:00.0000001Z",
		"since:0000-01-01", "user:" + strings.Repeat("a", 321), strings.Repeat("-client:a", 200), "state:live\x00", "state:live,user:ana", "state=live", "(state:live)",
	} {
		if q, ok := parseQuery(text); ok {
			t.Errorf("%q reads as %q", text, q)
		}
	}
	many := ""
	for i := range wordsAtMost + 1 {
		many += " -net:10.0.0." + string(rune('0'+i/10)) + string(rune('0'+i%10))
	}
	if _, ok := parseQuery(strings.ReplaceAll(many, ".0", ".")); ok {
		t.Errorf("more than %d words", wordsAtMost)
	}
}

func TestOneWordIsOneEvent(t *testing.T) {
	for text, want := range map[string]string{
		"user:ana@example.com": "ana@example.com", "state:live user:a": "a", "user:a -state:ended": "", "user:a client:b": "", "-user:a": "", "user:a since:2026-11-01": "", "state:live": "", "client:a": "",
	} {
		q, _ := parseQuery(text)
		if got, ok := q.only("user"); got != want || ok != (want != "") {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "user:ana@example.com", "net:203.0.113.0/24 since:2026-11-01 before:2026-11-02T10:00:00.5Z client:notes state:live method:password -client:shop", "net:2001:db8::/32", "-", "since:9999-12-31"} {
		f.Add(s)
	}
	row := session.Row{Session: session.Session{IP: "::1", Method: "x"}}
	f.Fuzz(func(t *testing.T, text string) {
		q, ok := parseQuery(text)
		if !ok {
			return
		}
		again, ok := parseQuery(q.String())
		if !ok || again.String() != q.String() {
			t.Errorf("%q is %q and then %q", text, q, again)
		}
		if q.selects(row, true) != again.selects(row, true) {
			t.Errorf("%q and %q select differently", text, q)
		}
	})
}
