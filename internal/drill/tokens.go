package drill

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// forged expects a token to be nothing, to the server and at introspection.
func (t *try) forged(what, token string) {
	t.refused(what, t.bearer(http.MethodGet, "/session", token), http.StatusUnauthorized, http.StatusBadRequest)
	if active, a := t.introspect(t.reader, token); a.err != nil {
		t.lost(what, a)
	} else {
		t.holds(!active, "introspected, a token with %s is active", what)
	}
}

// allForged is forged for every variant of a header.
func (t *try) allForged(f *forger, what, header string) {
	for how, token := range f.variants(header) {
		t.forged(what+", "+how, token)
	}
}

// good expects that the token which the others are made of is worth something:
// else all of them are refused for nothing.
func (t *try) good(f *forger) {
	t.gives("with the good token", t.bearer(http.MethodGet, "/session", f.good), http.StatusOK)
}

var badTokens = []string{"token.form", "token.signature", "request.authorization"}

var tokenAttacks = []Attack{
	{ID: "alg-none", Group: Tokens, Tries: "A token without a signature, by any spelling of none, is refused.", Of: []string{"JWT-01"}, Expects: badTokens,
		run: func(t *try) {
			f := t.forger()
			for _, alg := range []string{`"none"`, `"None"`, `"nOnE"`, `"NONE"`, `" none"`, `null`, `""`, `[]`} {
				t.allForged(f, "alg "+alg, fmt.Sprintf(`{"alg":%s,"kid":%q,"typ":"at+jwt"}`, alg, f.kid()))
			}
			t.good(f)
		}},
	{ID: "key-confusion", Group: Tokens, Tries: "A token authenticated with the public key as a shared secret is refused.", Of: []string{"JWT-02"}, Expects: badTokens,
		run: func(t *try) {
			f := t.forger()
			for name, key := range f.secrets {
				for alg, h := range hashes {
					t.forged(alg+" with "+name, f.authenticated(alg, h, key))
				}
			}
			t.good(f)
		}},
	{ID: "kid-traversal", Group: Tokens, Tries: "A key id that is a path, a query or no text leads to no key.", Of: []string{"JWT-05"}, Expects: badTokens,
		run: func(t *try) {
			f := t.forger()
			for _, kid := range []string{`"../../../dev/null"`, `"/proc/self/environ"`, `"' UNION SELECT 'a"`, `"$(id)"`, `"\u0000"`, `""`, `7`, `null`, `["a"]`, `"` + strings.Repeat("k", 3000) + `"`} {
				t.allForged(f, "kid "+kid[:min(len(kid), 20)], `{"alg":"ES256","kid":`+kid+`,"typ":"at+jwt"}`)
			}
			t.good(f)
		}},
	{ID: "key-in-header", Group: Tokens, Tries: "A token that brings its own key, or an address of one, is refused.", Of: []string{"JWT-03", "JWT-04"}, Expects: badTokens,
		run: func(t *try) {
			f := t.forger()
			for name, member := range map[string]string{"jwk": `"jwk":` + f.jwk, "jku": `"jku":"https://doorward-drill.invalid/jwks"`, "x5u": `"x5u":"https://doorward-drill.invalid/cert"`, "x5c": `"x5c":["MIIB"]`} {
				for _, kid := range []string{f.kid(), "drill"} {
					t.allForged(f, name, fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt",%s}`, kid, member))
				}
			}
			t.good(f)
		}},
	{ID: "stripped-signature", Group: Tokens, Tries: "A token with its signature cut, changed or taken from another token is refused.", Of: []string{"JWT-01", "SES-08"}, Expects: badTokens,
		run: func(t *try) {
			f := t.forger()
			other := t.signIn(t.ben).access
			dot := strings.LastIndexByte(f.good, '.')
			for what, token := range map[string]string{"no signature": f.good[:dot+1], "no third part": f.good[:dot], "half a signature": f.good[:dot+40], "a zero signature": f.good[:dot+1] + strings.Repeat("A", 86),
				"somebody else's signature": f.good[:dot] + other[strings.LastIndexByte(other, '.'):], "more": f.good + "A", "a dot more": f.good + "."} {
				t.forged(what, token)
			}
			t.good(f)
		}},
	{ID: "typ-swap", Group: Tokens, Tries: "A token of another kind is no access token.", Of: []string{"JWT-16"}, Expects: badTokens,
		run: func(t *try) {
			f := t.forger()
			for _, typ := range []string{`"JWT"`, `"id+jwt"`, `"logout+jwt"`, `"application/at+jwt"`, `"AT+JWT"`, `null`, `""`} {
				t.allForged(f, "typ "+typ, fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":%s}`, f.kid(), typ))
			}
			t.good(f)
		}},
	{ID: "wrong-issuer", Group: Tokens, Tries: "A token of somebody else's issuer, signed by their key, is refused.", Of: []string{"JWT-12"}, Expects: append([]string{"token.audience"}, badTokens...),
		run: func(t *try) {
			f := t.forger()
			for _, issuer := range []any{"https://doorward-drill.invalid", t.target + "/", t.target, []string{t.target}, ""} {
				f.claims["iss"] = issuer
				payload, err := json.Marshal(f.claims)
				if err != nil {
					t.skip(err.Error())
				}
				t.forged(fmt.Sprintf("issuer %v", issuer), f.signed(`{"alg":"ES256","kid":"drill","typ":"at+jwt"}`, b64(payload)))
			}
			t.good(f)
		}},
	{ID: "wrong-audience", Group: Tokens, Tries: "An application that does not own a token's audience learns nothing of it.", Of: []string{"JWT-12", "OAU-08"}, Expects: []string{"token.audience"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			if active, a := t.introspect(t.reader, b.access); !active {
				t.gives("of the token's own resource", a, http.StatusOK)
				t.breaks("introspected by its own resource, the token is not active")
			}
			active, a := t.introspect(t.other, b.access)
			t.gives("of another resource", a, http.StatusOK)
			t.holds(!active && !strings.Contains(a.body, t.ana.id), "introspected by another resource, the token is active")
		}},
	{ID: "token-places", Group: Tokens, Tries: "A token is read from its own place alone, and none stands for another.", Of: []string{"OAU-16", "REC-12"},
		Expects: append([]string{"session.presented", "refresh.form", "request.query", "client.authentic"}, badTokens...),
		run: func(t *try) {
			b := t.signIn(t.ana)
			session, refresh := b.cookies[t.cookie(sessionCookie)], b.cookies[t.cookie(refreshCookie)]
			t.refused("the access token in the address", t.stranger().get("/session?access_token="+url.QueryEscape(b.access)), 400, 401)
			for what, token := range map[string]string{"the session cookie": session, "the refresh token": refresh, "the session's id": b.session} {
				t.forged(what+" for an access token", token)
			}
			for what, token := range map[string]string{"the access token": b.access, "the refresh token": refresh, "the session's id": b.session} {
				t.refused(what+" for a session cookie", t.browser().get("/session", "Cookie", t.cookie(sessionCookie)+"="+token), 401)
			}
			for what, token := range map[string]string{"the access token": b.access, "the session cookie": session} {
				t.refused(what+" for a refresh token", t.browser().do(http.MethodPost, "/session/refresh", nil, "Cookie", t.cookie(refreshCookie)+"="+token), 401)
			}
			t.lives(b, "afterwards")
		}},
	{ID: "expired", Group: Tokens, Tries: "A token that has expired is refused.", Of: []string{"JWT-20", "JWT-11"}, Expects: []string{"token.in_time"},
		run: func(t *try) {
			if !t.Wait {
				t.skip("a token lives for minutes: --wait waits for its end")
			}
			f := t.forger()
			exp, _ := f.claims["exp"].(float64)
			iat, _ := f.claims["iat"].(float64)
			t.good(f)
			const margin = 2 * time.Second
			if t.Sleep(t.ctx, time.Duration(exp-iat)*time.Second+margin) != nil {
				t.skip("the drill was stopped")
			}
			t.forged("its time over", f.good)
		}},
}
