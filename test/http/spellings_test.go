package http_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// spellings are texts that a careless reader takes for a token, or that are
// it no more. cookie leaves out what no cookie can hold.
func spellings(token string, cookie bool) map[string]string {
	out := map[string]string{
		"padding": token + "=", "two paddings": token + "==", "more": token + "A", "more of the same": token + token,
		"other letters": strings.ToUpper(token), "a dot": token + ".", "a version less": strings.Replace(token, "_A", "_B", 1),
		"the other alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(token),
	}
	for n := range len(token) {
		out[fmt.Sprintf("cut at %d", n)] = token[:n]
	}
	// The last character has bits to spare, unless the length divides by three:
	// each of the four or sixteen spellings decodes alike where bits are ignored.
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for i := range alphabet {
		if i != last {
			out[fmt.Sprintf("last character %c", alphabet[i])] = token[:len(token)-1] + alphabet[i:i+1]
		}
	}
	for n := 7; n < len(token); n += 11 {
		i := strings.IndexByte(alphabet, token[n])
		out[fmt.Sprintf("another character at %d", n)] = token[:n] + alphabet[(i+33)%64:(i+33)%64+1] + token[n+1:]
	}
	if !cookie {
		for name, s := range map[string]string{"newline": "\n", "return": "\r", "tab": "\t", "NUL": "\x00", "space": " "} {
			out[name+" at the end"] = token + s
			out[name+" at the beginning"] = s + token
			out[name+" inside"] = token[:len(token)/2] + s + token[len(token)/2:]
		}
	}
	delete(out, "")
	for name, text := range out {
		if text == token {
			delete(out, name)
		}
	}
	return out
}

// A token has one spelling. Every other one is refused as no token at all, and
// none of them harms the session that it resembles.
// Attack SES-08.
func TestTokensHaveOneSpelling(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		for name, text := range spellings(c.here.Cookies["doorward_session"], true) {
			wantClear(t, "a session with "+name, c.Browser().Do("GET", "/session", nil, "Cookie", "doorward_session="+text), 401)
		}
		for name, text := range spellings(c.here.Cookies["doorward_refresh"], true) {
			wantClear(t, "a refresh token with "+name, c.Browser().Do("POST", "/session/refresh", nil, "Cookie", "doorward_refresh="+text), 401)
		}
		for name, text := range spellings(c.here.Access, true) {
			a := c.Bearer("GET", "/session", text)
			wantClear(t, "an access token with "+name, a, 401, 400)
		}
		app := c.SignInAt(c.ana, appOrigin)
		c.before = c.State()
		for name, text := range spellings(app.Access, false) {
			var out map[string]any
			a := introspect(c.Server, c.reader, "token="+url.QueryEscape(text))
			if a.Status == 400 { // NUL is no text
				continue
			}
			if a.Want(t, 200).Into(t, &out); out["active"] != false || len(out) != 1 {
				t.Errorf("an introspected token with %s is %v", name, out)
			}
		}
		var out map[string]any
		introspect(c.Server, c.reader, "token="+url.QueryEscape(app.Access)).Want(t, 200).Into(t, &out)
		if out["active"] != true {
			t.Errorf("the token itself is %v", out)
		}
		b := c.Browser()
		b.Origin = ""
		credential := strings.TrimPrefix(basic(c.reader), "Basic ")
		for name, text := range spellings(c.reader.Secret, true) {
			wantClear(t, "a client secret with "+name, b.Do("GET", "/revocations", nil, "Authorization", basic(rig.Client{ID: c.reader.ID, Secret: text})), 401)
		}
		for name, text := range map[string]string{
			"no padding": strings.TrimRight(credential, "="), "more padding": credential + "=", "no colon": base64.StdEncoding.EncodeToString([]byte(c.reader.ID)),
			"the other alphabet": base64.URLEncoding.EncodeToString([]byte(c.reader.ID + "\xff:" + c.reader.Secret)), "a bad percent": base64.StdEncoding.EncodeToString([]byte(c.reader.ID + ":%zz")),
		} {
			if text == credential {
				continue
			}
			wantClear(t, "Basic with "+name, b.Do("GET", "/revocations", nil, "Authorization", "Basic "+text), 400, 401)
		}
		c.intact(t)
	})
}

// The full matrix of one kind of token in the place of another (attack
// OAU-16): nothing but the diagonal is anything.
func TestNoTokenStandsForAnother(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		app := c.SignInAt(c.ana, appOrigin)
		c.before = c.State()
		claims := part(t, strings.Split(app.Access, ".")[1])
		kinds := map[string]string{
			"session": app.Cookies["doorward_session"], "refresh": app.Cookies["doorward_refresh"], "access": app.Access, "client secret": c.reader.Secret,
			"session id": app.Session, "user id": c.ana.ID, "jti": claims["jti"].(string), "grant": claims["grant_id"].(string), "password": strings.ReplaceAll(c.ana.Password, " ", "+"),
			"client id": c.reader.ID, "unsigned": unsigned(app.Access),
		}
		app.Origin = ""
		places := map[string]struct {
			own string
			try func(token string) rig.Answer
		}{
			"session cookie": {"session", func(k string) rig.Answer {
				return c.Browser().Do("GET", "/session", nil, "Cookie", "doorward_session="+k)
			}},
			"session cookie to end": {"session", func(k string) rig.Answer {
				return c.Browser().Do("POST", "/sessions/end-others", nil, "Cookie", "doorward_session="+k)
			}},
			"refresh cookie": {"refresh", func(k string) rig.Answer {
				return c.Browser().Do("POST", "/session/refresh", nil, "Cookie", "doorward_refresh="+k)
			}},
			"bearer":        {"access", func(k string) rig.Answer { return c.Bearer("GET", "/sessions", k) }},
			"bearer to end": {"access", func(k string) rig.Answer { return c.Bearer("DELETE", "/session", k) }},
			"client secret": {"client secret", func(k string) rig.Answer {
				return introspect(c.Server, rig.Client{ID: c.reader.ID, Secret: k}, "token=x")
			}},
			"feed by bearer": {"none", func(k string) rig.Answer {
				b := c.Browser()
				b.Origin = ""
				return b.Do("GET", "/revocations", nil, "Authorization", "Bearer "+k)
			}},
		}
		for kind, token := range kinds {
			for place, p := range places {
				if p.own != kind {
					wantClear(t, "a "+kind+" as "+place, p.try(token), 400, 401)
				}
			}
			if kind == "access" {
				continue
			}
			var out map[string]any
			introspect(c.Server, c.reader, "token="+url.QueryEscape(token)).Want(t, 200).Into(t, &out)
			if out["active"] != false || len(out) != 1 {
				t.Errorf("a %s, introspected, is %v", kind, out)
			}
		}
		// Signing out by any of two cookies needs one of them to be good: with
		// the kinds exchanged there is nobody to sign out.
		wantClear(t, "the two cookies exchanged", c.Browser().Do("DELETE", "/session", nil, "Cookie",
			"doorward_session="+kinds["refresh"]+"; doorward_refresh="+kinds["session"]), 401)
		c.intact(t)
	})
}

// unsigned is the token with the algorithm "none".
func unsigned(token string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`)) + "." + strings.Split(token, ".")[1] + "."
}
