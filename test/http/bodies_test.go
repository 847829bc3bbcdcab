package http_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// A spoiled body and how it is to be refused.
type spoiled struct {
	name     string
	body     string
	headers  []string
	statuses []int
}

// media are the spoilings that any endpoint refuses that reads a body.
func spoiledMedia(e endpoint) []spoiled {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(e.body))
	z.Close()
	other := jsonMedia
	if e.media == jsonMedia {
		other = formMedia
	}
	unsupported := []int{415}
	return []spoiled{
		{"another media type", e.body, []string{"Content-Type", other}, unsupported},
		{"text/plain", e.body, []string{"Content-Type", "text/plain"}, unsupported},
		{"no media type", e.body, []string{"Content-Type", ""}, unsupported},
		{"two media types", e.body, []string{"Content-Type", e.media, "Content-Type", "text/plain"}, unsupported},
		{"another charset", e.body, []string{"Content-Type", e.media + "; charset=utf-7"}, unsupported},
		{"a media type with more", e.body, []string{"Content-Type", e.media + "; charset=utf-8; q=1"}, unsupported},
		{"gzip", packed.String(), []string{"Content-Encoding", "gzip"}, unsupported},
		{"identity", e.body, []string{"Content-Encoding", "identity"}, unsupported},
		{"64 KiB and a byte", e.body + strings.Repeat(" ", 64<<10+1-len(e.body)), nil, []int{413}},
		{"a megabyte", e.body + strings.Repeat(" ", 1<<20), nil, []int{413}},
	}
}

func spoiledJSON(e endpoint) []spoiled {
	malformed := []int{400}
	// Into the first text, or into a name where no value is text.
	text := func(bad string) string {
		if !strings.Contains(e.body, `:"`) {
			return strings.Replace(e.body, `{"`, `{"`+bad, 1)
		}
		return strings.Replace(e.body, `:"`, `:"`+bad, 1)
	}
	more := func(members string) string { return strings.TrimSuffix(e.body, "}") + "," + members + "}" }
	first := e.body[1:strings.IndexByte(e.body, ':')]
	deep := func(n int) string { return more(`"x":` + strings.Repeat("[", n) + strings.Repeat("]", n)) }
	var many strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&many, `"m%d":1,`, i)
	}
	out := []spoiled{
		{"nothing", "", nil, malformed},
		{"a member twice", more(first + `:"x"`), nil, malformed},
		{"a member of another type", strings.Replace(e.body, `:"`, `:{"a":"`, 1) + "}", nil, malformed},
		{"an array for a text", strings.Replace(strings.Replace(e.body, `:"`, `:["`, 1), `",`, `"],`, 1), nil, malformed},
		{"an array", "[" + e.body + "]]", nil, malformed},
		{"a text", `"` + e.media + `"`, nil, malformed},
		{"a number", "1", nil, malformed},
		{"depth 33", deep(33), nil, malformed},
		{"depth 10^5", strings.Repeat("[", 100_000), nil, []int{400, 413}},
		{"depth 30000", deep(30_000), nil, malformed},
		{"10^5 members", "{" + strings.Repeat(many.String(), 34) + `"z":1}`, nil, []int{400, 413}},
		{"3000 members", more(many.String() + `"z":1`), nil, malformed},
		{"bytes that are no UTF-8", text("\xff\xfe"), nil, malformed},
		{"half a surrogate pair", text(`\ud800`), nil, malformed},
		{"a NUL byte", text("\x00"), nil, malformed},
		{"something after the end", e.body + "x", nil, malformed},
		{"a second document", e.body + e.body, nil, malformed},
		{"half of it", e.body[:len(e.body)/2], nil, malformed},
		{"a byte order mark", "\xef\xbb\xbf" + e.body, nil, malformed},
		{"a comment", "/**/" + e.body, nil, malformed},
		{"a trailing comma", strings.TrimSuffix(e.body, "}") + ",}", nil, malformed},
	}
	if strings.Count(e.body, ":") == 1 {
		// One member leaves no comma to close the array before.
		out[3].body = strings.Replace(strings.TrimSuffix(e.body, "}"), `:"`, `:["`, 1) + "]}"
	}
	if !e.metadata {
		upper := strings.ToUpper(first[:2]) + first[2:]
		out = append(out,
			spoiled{"an unknown member", more(`"is_admin":true`), nil, malformed},
			spoiled{"a member in other letters", strings.Replace(e.body, first, upper, 1), nil, malformed},
			spoiled{"a member in both", more(upper + `:"x"`), nil, malformed},
			spoiled{"__proto__", more(`"__proto__":{"verified":true}`), nil, malformed})
	}
	return out
}

func spoiledForm(e endpoint) []spoiled {
	malformed := []int{400}
	return []spoiled{
		{"nothing", "", nil, malformed},
		{"a parameter twice", e.body + "&" + e.body, nil, malformed},
		{"a secret beside Basic", e.body + "&client_secret=x", nil, malformed},
		{"another client beside Basic", e.body + "&client_id=other", nil, malformed},
		{"bad percent", "token=%zz", nil, malformed},
		{"bytes that are no UTF-8", "token=%ff%fe", nil, malformed},
		{"a NUL", "token=%00", nil, malformed},
		{"semicolons", "token=x;token=y", nil, malformed},
		{"1000 parameters", e.body + strings.Repeat("&a=b", 1000), nil, malformed},
	}
}

// Attacks REC-01, IDN-13, OAU-06, JWT-08 and DOS-04.
func TestHostileBodiesAreRefused(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		asked := 0
		for _, e := range endpoints {
			if e.media == "" {
				continue
			}
			all := spoiledMedia(e)
			if e.media == jsonMedia {
				all = append(all, spoiledJSON(e)...)
			} else {
				all = append(all, spoiledForm(e)...)
			}
			for _, one := range all {
				if one.body == e.body && one.headers == nil {
					continue // there is nothing in it to spoil
				}
				asked++
				wantClear(t, e.String()+" with "+one.name, c.ask(e, e.path, one.body, one.headers...), one.statuses...)
			}
		}
		if asked < 100 {
			t.Errorf("only %d bodies were sent", asked)
		}
		c.intact(t)
	})
}

// Text that a database or a log could stumble over is refused or kept as it
// is, on every engine alike.
// Attack TEN-14.
func TestHostileTextIsNoFailure(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		hostile := []string{"a\x00b", "a\nlevel=ERROR msg=forged", "\u202eevil", "\ufeffa", "'; drop table users; --", "%s%n", "\U0010ffff", "$(id)", "a\u0000", strings.Repeat("ä", 5000)}
		for i, text := range hostile {
			email := fmt.Sprintf("h%d@example.com", i)
			for what, a := range map[string]rig.Answer{
				"an address to sign in":       c.Browser().Do("POST", "/session", map[string]string{"email": text, "password": "x"}),
				"a password":                  c.Browser().Do("POST", "/session", map[string]string{"email": c.ana.Email, "password": text}),
				"a user agent":                c.Browser().Do("POST", "/session", map[string]string{"email": c.ana.Email, "password": "wrong"}, "User-Agent", strings.NewReplacer("\n", " ", "\x00", " ").Replace(text)),
				"a name":                      c.Socket("POST", "/api/v1/users", map[string]string{"email": email, "name": text}),
				"an address":                  c.Socket("POST", "/api/v1/users", map[string]string{"email": text}),
				"a client's name":             c.Socket("POST", "/api/v1/clients", map[string]string{"client_id": fmt.Sprintf("h%d", i), "client_name": text}),
				"a client's id":               c.Socket("POST", "/api/v1/clients", map[string]string{"client_id": text, "client_name": "x"}),
				"a query":                     c.Socket("POST", "/api/v1/sessions/end", map[string]any{"query": "user:" + text, "dry_run": true}),
				"a session's id":              c.Socket("POST", "/api/v1/sessions/end", map[string]any{"id": text}),
				"a client to follow":          c.follow(text),
				"an introspected token":       introspect(c.Server, c.reader, "token="+percent(text)),
				"a client to introspect":      c.Browser().Do("POST", "/oauth/introspect", "token=x&client_secret=x&client_id="+percent(text), "Content-Type", formMedia),
				"the position of an exchange": c.here.Do("GET", "/session/exchanges?after="+percent(text), nil),
			} {
				if a.Status >= 500 || a.Status == 0 {
					t.Errorf("%q as %s is answered %d %s", text, what, a.Status, a.Body)
				}
			}
		}
		if log := c.Log(); strings.Contains(log, "\nlevel=ERROR msg=forged") || strings.Contains(log, "level=ERROR") {
			t.Error("the log has an error, or a line that a stranger wrote")
		}
		c.here.Do("GET", "/session", nil).Want(t, 200)
		c.here.Refresh().Want(t, 200)
	})
}

// follow reads the feed as a client of that name.
func (c *scene) follow(id string) rig.Answer {
	b := c.Browser()
	b.Origin = ""
	return b.Do("GET", "/revocations", nil, "Authorization", basic(rig.Client{ID: percent(id), Secret: "x"}))
}

// percent writes every byte in the one way that survives everywhere.
func percent(text string) string {
	var b strings.Builder
	for i := range min(len(text), 1000) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}
