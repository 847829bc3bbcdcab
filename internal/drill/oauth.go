package drill

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
)

// back is where the drill's applications are called: at nobody's host.
func (a application) back() string { return "https://" + a.id + ".doorward.invalid/cb" }

// A bought is what the token endpoint gave.
type bought struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// asks are the parameters of an authorization request, with the challenge of
// a verifier.
func (a application) asks(verifier string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{"response_type": {"code"}, "client_id": {a.id}, "redirect_uri": {a.back()}, "scope": {"openid offline_access"}, "state": {"drill"},
		"code_challenge": {b64(sum[:])}, "code_challenge_method": {"S256"}}
}

func fresh() string {
	random := secret.Random()
	return b64(random[:])
}

// authorize asks as a link on an application's page does.
func (t *try) authorize(b *browser, q url.Values) answer {
	return b.get("/oauth/authorize?"+q.Encode(), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
}

// told is what an answer sends to the application, if it sends anything.
func (a application) told(to answer) (url.Values, bool) {
	where, err := url.Parse(to.header.Get("Location"))
	if err != nil || !strings.HasPrefix(to.header.Get("Location"), a.back()+"?") {
		return nil, false
	}
	return where.Query(), true
}

// code gets a code for an application that nobody is asked about.
func (t *try) code(b *browser, by application, q url.Values) string {
	a := t.authorize(b, q)
	told, _ := by.told(a)
	if told.Get("code") == "" {
		t.skip(fmt.Sprintf("the drill's own application got no code: %d %s", a.status, told.Get("error")))
	}
	return told.Get("code")
}

// trade asks the token endpoint as an application.
func (t *try) trade(by application, form url.Values, headers ...string) answer {
	if by.secret == "" {
		form.Set("client_id", by.id)
	} else {
		headers = append(headers, "Authorization", "Basic "+b64std(url.QueryEscape(by.id)+":"+url.QueryEscape(by.secret)))
	}
	return t.stranger().do(http.MethodPost, "/oauth/token", form, headers...)
}

func (t *try) redeem(by, of application, code, verifier string) answer {
	return t.trade(by, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {of.back()}, "code_verifier": {verifier}})
}

// buys expects tokens.
func (t *try) buys(what string, a answer) (out bought) {
	t.gives(what, a, http.StatusOK)
	if a.err == nil && (json.Unmarshal([]byte(a.body), &out) != nil || out.Access == "") && a.status == http.StatusOK {
		t.breaks("%s gave no token", what)
	}
	return out
}

// worthless expects an access token to be worth nothing.
func (t *try) worthless(when, token string) {
	t.refused("the token "+when, t.bearer(http.MethodGet, "/oauth/userinfo", token), http.StatusUnauthorized)
}

var oauthAttacks = []Attack{
	{ID: "code-replay", Group: OAuth, Tries: "A code buys once; a second use takes away what it bought.", Of: []string{"OAU-09"},
		Expects: []string{"code.unspent", "token.alive", "refresh.alive"},
		run: func(t *try) {
			b, verifier := t.signIn(t.ana), fresh()
			code := t.code(b, t.web, t.web.asks(verifier))
			got := t.buys("with a code", t.redeem(t.web, t.web, code, verifier))
			t.gives("before the replay", t.bearer(http.MethodGet, "/oauth/userinfo", got.Access), http.StatusOK)
			t.refused("the code again", t.redeem(t.web, t.web, code, verifier), http.StatusBadRequest)
			t.worthless("after the replay", got.Access)
			t.refused("the refresh token after the replay", t.trade(t.web, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}), http.StatusBadRequest)
		}},
	{ID: "foreign-code", Group: OAuth, Tries: "A code or a refresh token of one application is worth nothing to another.", Of: []string{"OAU-08"},
		Expects: []string{"code.client", "code.unspent", "refresh.authentic", "client.authentic"},
		run: func(t *try) {
			b, verifier := t.signIn(t.ana), fresh()
			code := t.code(b, t.web, t.web.asks(verifier))
			t.refused("another application's secret", t.redeem(application{t.web.id, t.spare.secret}, t.web, code, verifier), http.StatusUnauthorized)
			t.refused("another application's code", t.redeem(t.spare, t.web, code, verifier), http.StatusBadRequest)
			t.refused("its own code after a thief had it", t.redeem(t.web, t.web, code, verifier), http.StatusBadRequest)
			got := t.buys("with a code", t.redeem(t.web, t.web, t.code(b, t.web, t.web.asks(verifier)), verifier))
			t.refused("another application's refresh token", t.trade(t.spare, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}), http.StatusBadRequest)
			t.buys("with its refresh token", t.trade(t.web, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}))
		}},
	{ID: "pkce-downgrade", Group: OAuth, Tries: "The proof that protects a code cannot be left out, weakened or guessed.", Of: []string{"OAU-13"}, Expects: []string{"pkce.match", "pkce.challenge"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			for what, change := range map[string]func(url.Values){
				"no challenge": func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") },
				"plain":        func(q url.Values) { q.Set("code_challenge_method", "plain") },
				"no method":    func(q url.Values) { q.Del("code_challenge_method") },
				"a short one":  func(q url.Values) { q.Set("code_challenge", q.Get("code_challenge")[:42]) },
			} {
				q := t.web.asks(fresh())
				change(q)
				told, sent := t.web.told(t.authorize(b, q))
				t.holds(sent && told.Get("error") == "invalid_request" && !told.Has("code"), "a request with %s was answered %v", what, told)
			}
			for what, verifier := range map[string]string{"no verifier": "", "another verifier": fresh(), "a short verifier": "short"} {
				t.refused(what, t.redeem(t.web, t.web, t.code(b, t.web, t.web.asks(fresh())), verifier), http.StatusBadRequest)
			}
		}},
	{ID: "redirect-corpus", Group: OAuth, Tries: "Nobody is sent to an address that is only nearly the registered one.", Of: []string{"OAU-01", "OAU-02", "OAU-03"}, Expects: []string{"redirect.exact", "request.query"},
		run: func(t *try) {
			b, good := t.signIn(t.ana), t.web.back()
			host := strings.TrimSuffix(strings.TrimPrefix(good, "https://"), "/cb")
			for _, to := range []string{"https://" + host + "@evil.invalid/cb", "https://a@b@" + host + "/cb", "https://" + host + "%40evil.invalid/cb", "https://" + host + ".evil.invalid/cb", good + "/", good + "/../x", good + "%2f..",
				good + "?a", good + "#a", "http://" + host + "/cb", "https://" + host + ":443/cb", "https://" + strings.ToUpper(host) + "/cb", "//" + host + "/cb", "javascript:alert(1)", "data:text/html,x", `https:\\` + host + `\cb`} {
				q := t.web.asks(fresh())
				q.Set("redirect_uri", to)
				a := t.authorize(b, q)
				t.refused(to, a, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusForbidden, http.StatusNotFound)
				t.holds(a.header.Get("Location") == "", "%q leads to %q", to, a.header.Get("Location"))
			}
			t.code(b, t.web, t.web.asks(fresh()))
		}},
	{ID: "parameters-twice", Group: OAuth, Tries: "A parameter that comes twice is no request.", Of: []string{"OAU-06"}, Expects: []string{"request.body", "request.query", "client.authentic"},
		run: func(t *try) {
			b, verifier := t.signIn(t.ana), fresh()
			for _, name := range []string{"client_id", "redirect_uri", "scope", "state", "code_challenge"} {
				q := t.web.asks(verifier)
				a := b.get("/oauth/authorize?"+q.Encode()+"&"+name+"=other", "Sec-Fetch-Site", "cross-site")
				told, sent := t.web.told(a)
				t.holds(a.err == nil && (sent && told.Get("error") == "invalid_request" || !sent && a.status/100 == 4), "%s twice was answered %d %v", name, a.status, told)
			}
			code := t.code(b, t.web, t.web.asks(verifier))
			form := url.Values{"grant_type": {"authorization_code"}, "code": {code, code}, "redirect_uri": {t.web.back()}, "code_verifier": {verifier}}
			t.refused("a code twice", t.trade(t.web, form), http.StatusBadRequest)
			t.refused("a secret in header and body", t.trade(t.web, url.Values{"grant_type": {"authorization_code"}, "client_secret": {t.web.secret}}), http.StatusBadRequest, http.StatusUnauthorized)
			t.buys("afterwards", t.redeem(t.web, t.web, code, verifier))
		}},
	{ID: "missing-grants", Group: OAuth, Tries: "Implicit, hybrid and password do not exist, and no application uses a grant that is not its own.", Of: []string{"OAU-17"}, Expects: []string{"grant.known", "client.grant"},
		run: func(t *try) {
			b := t.signIn(t.ana)
			for _, kind := range []string{"token", "id_token", "code id_token", "code token", "none"} {
				q := t.web.asks(fresh())
				q.Set("response_type", kind)
				told, sent := t.web.told(t.authorize(b, q))
				t.holds(sent && told.Get("error") == "unsupported_response_type" && len(told["code"]) == 0, "response_type %s was answered %v", kind, told)
			}
			for _, grant := range []string{"password", "implicit", "client_credentials"} {
				a := t.trade(t.web, url.Values{"grant_type": {grant}, "username": {t.ana.email}, "password": {t.ana.password}})
				t.refused("grant_type "+grant, a, http.StatusBadRequest)
			}
		}},
	{ID: "kinds-of-code", Group: OAuth, Tries: "Nothing else that this server gives out is taken for a code or a refresh token, nor they for anything else.", Of: []string{"OAU-16"},
		Expects: append([]string{"code.authentic", "refresh.form", "refresh.authentic", "session.presented"}, badTokens...),
		run: func(t *try) {
			b, verifier := t.signIn(t.ana), fresh()
			code := t.code(b, t.web, t.web.asks(verifier))
			got := t.buys("with a code", t.redeem(t.web, t.web, t.code(b, t.web, t.web.asks(verifier)), verifier))
			all := map[string]string{"a code": code, "an access token": got.Access, "a refresh token": got.Refresh, "a page's refresh token": b.cookies[t.cookie(refreshCookie)], "a session": b.cookies[t.cookie(sessionCookie)]}
			for what, text := range all {
				if what != "a code" {
					t.refused(what+" for a code", t.redeem(t.web, t.web, text, verifier), http.StatusBadRequest)
				}
				if what != "a refresh token" {
					t.refused(what+" for a refresh token", t.trade(t.web, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text}}), http.StatusBadRequest)
				}
				if what != "an access token" {
					t.refused(what+" for an access token", t.bearer(http.MethodGet, "/oauth/userinfo", text), http.StatusUnauthorized)
				}
				if what != "a session" {
					t.refused(what+" for a session", t.browser().get("/session", "Cookie", t.cookie(sessionCookie)+"="+text), http.StatusUnauthorized)
				}
			}
		}},
	{ID: "cors-oauth", Group: OAuth, Tries: "No page of another origin may read what the token endpoint answers, and none at all what the authorization endpoint does.", Of: []string{"OAU-34"},
		run: func(t *try) {
			for _, origin := range []string{"https://doorward-drill.invalid", "null", t.target + ".invalid"} {
				for _, path := range []string{"/oauth/token", "/oauth/userinfo", "/oauth/revoke", "/oauth/introspect", "/oauth/authorize"} {
					for _, method := range []string{http.MethodOptions, http.MethodPost} {
						a := t.stranger().do(method, path, url.Values{}, "Origin", origin, "Sec-Fetch-Site", "cross-site", "Access-Control-Request-Method", "POST")
						allowed := a.header.Get("Access-Control-Allow-Origin")
						t.holds(a.err != nil || allowed == "", "%s lets %s read: %q", a.what, origin, allowed)
					}
				}
			}
		}},
	{ID: "rotation-oauth", Group: OAuth, Tries: "A refresh token that was spent and comes again ends the grant.", Of: []string{"OAU-10"}, Expects: []string{"refresh.unspent", "refresh.timely", "refresh.alive", "token.alive"},
		run: func(t *try) {
			b, verifier := t.signIn(t.ana), fresh()
			first := t.buys("with a code", t.redeem(t.web, t.web, t.code(b, t.web, t.web.asks(verifier)), verifier))
			refresh := func(token string) answer {
				return t.trade(t.web, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
			}
			second := t.buys("with its refresh token", refresh(first.Refresh))
			third := t.buys("with the next", refresh(second.Refresh))
			t.refused("the first again", refresh(first.Refresh), http.StatusBadRequest)
			t.refused("the newest after that", refresh(third.Refresh), http.StatusBadRequest)
			t.worthless("of a grant that was used twice", third.Access)
		}},
}
