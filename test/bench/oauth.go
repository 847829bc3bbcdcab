package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// An application is one that asks the token endpoint, by HTTP Basic.
type application struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

func (a application) basic() string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(a.ID)+":"+url.QueryEscape(a.Secret)))
}

const formMedia = "Content-Type: application/x-www-form-urlencoded"

// ask is a request of the application with a form.
func (a application) ask(s *server, path string, form url.Values) []byte {
	return request("POST", s.host(), path, form.Encode(), a.basic(), formMedia)
}

// applications are those of the workloads of OAuth.
type applications struct {
	jwt, opaque application // machines, by the format of their tokens
	web         application // first-party, so that nobody is asked for consent
}

func register(s *server) (all applications, err error) {
	for _, one := range []struct {
		to   *application
		args []string
	}{
		{&all.jwt, []string{"--type", "machine", "--scope", "notes:read"}},
		{&all.opaque, []string{"--type", "machine", "--scope", "notes:read", "--token-format", "opaque"}},
		{&all.web, []string{"--type", "web", "--first-party", "--redirect", returnTo, "--scope", "openid", "--scope", "offline_access", "--auth", "client_secret_basic"}},
	} {
		args := append([]string{"clients", "create", "--name", "Bench", "--resource", resource}, one.args...)
		if err := s.command(one.to, "", args...); err != nil {
			return all, err
		}
	}
	return all, nil
}

// oauthWorkloads are those of the token endpoint and of what reads its tokens.
func oauthWorkloads(s *server, apps applications, in []signedIn, durable float64) []*workload {
	const tail = 5 * time.Millisecond
	return []*workload{
		{id: "W1", name: "client credentials, opaque", of: "token", least: 0.9, tail: tail, addr: s.listen, cost: s.cost, client: credentialsOf(s, apps.opaque, "dw_at_")},
		{id: "W1j", name: "client credentials, JWT", of: "token", least: 0.8, tail: tail, addr: s.listen, cost: s.cost, client: credentialsOf(s, apps.jwt, "eyJ")},
		{id: "W2", name: "introspection, opaque", of: "hello", least: 0.36, tail: tail, addr: s.listen, cost: s.cost, client: introspections(s, apps.opaque)},
		{id: "W3c", name: "refresh by an application", of: "token", least: durable, tail: 15 * time.Millisecond, addr: s.listen, cost: s.cost, client: applicationRefreshes(s, apps.web, in)},
		{id: "W5", name: "userinfo", of: "hello", least: 0.36, tail: tail, addr: s.listen, cost: s.cost, client: userinfos(s, apps.web, in)},
		{id: "W6", name: "code with PKCE, session present", of: "token", least: 0.13, addr: s.listen, cost: s.cost, client: codes(s, apps.web, in)},
	}
}

// tokenAnswer is what every answer of the token endpoint must look like.
func tokenAnswer(c *conn, begins string) error {
	return c.expect(200, `"access_token":"`+begins, `"token_type":"Bearer"`, `"expires_in":`)
}

func credentialsOf(s *server, a application, begins string) func(int) step {
	ask := a.ask(s, "/oauth/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"notes:read"}})
	return func(int) step {
		return func(c *conn) error {
			if err := c.do(ask); err != nil {
				return err
			}
			return tokenAnswer(c, begins)
		}
	}
}

// member is a text member of the latest answer.
func member(c *conn, name string) (string, error) {
	_, rest, _ := bytes.Cut(c.body, []byte(`"`+name+`":"`))
	text, _, ended := bytes.Cut(rest, []byte(`"`))
	if !ended || len(text) == 0 {
		return "", fmt.Errorf("no %s in %.300s", name, c.body)
	}
	return string(text), nil
}

// introspections lets each client ask about one token over and over: the
// second answer may come from what the first one read.
func introspections(s *server, a application) func(int) step {
	return func(i int) step {
		var ask []byte
		return func(c *conn) error {
			if ask == nil {
				if err := credentialsOf(s, a, "dw_at_")(i)(c); err != nil {
					return err
				}
				token, err := member(c, "access_token")
				if err != nil {
					return err
				}
				ask = a.ask(s, "/oauth/introspect", url.Values{"token": {token}})
			}
			if err := c.do(ask); err != nil {
				return err
			}
			return c.expect(200, `"active":true`, a.ID)
		}
	}
}

const (
	returnTo = "https://bench.example.com/back"
	// The pair of RFC 7636 appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// code takes a signed-in browser through an authorization request and trades
// what comes back.
func code(s *server, a application, b signedIn, scope string) step {
	q := url.Values{"response_type": {"code"}, "client_id": {a.ID}, "redirect_uri": {returnTo}, "scope": {scope}, "state": {"bench"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	get := request("GET", s.host(), "/oauth/authorize?"+q.Encode(), "", "Cookie: doorward_session="+b.cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")
	return func(c *conn) error {
		if err := c.do(get); err != nil {
			return err
		}
		if err := c.expect(303); err != nil {
			return err
		}
		back, err := url.Parse(c.field("Location"))
		if err != nil {
			return err
		}
		if !strings.HasPrefix(back.String(), returnTo+"?") || back.Query().Get("code") == "" || back.Query().Get("state") != "bench" {
			return fmt.Errorf("sent to %s", back)
		}
		if err := c.do(a.ask(s, "/oauth/token", url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")},
			"redirect_uri": {returnTo}, "code_verifier": {verifier}})); err != nil {
			return err
		}
		return tokenAnswer(c, "eyJ")
	}
}

func codes(s *server, a application, in []signedIn) func(int) step {
	return func(i int) step { return code(s, a, in[i%len(in)], "openid") }
}

// userinfos lets each client ask with one token of a person.
func userinfos(s *server, a application, in []signedIn) func(int) step {
	return func(i int) step {
		b := in[i%len(in)]
		var ask []byte
		return func(c *conn) error {
			if ask == nil {
				if err := code(s, a, b, "openid")(c); err != nil {
					return err
				}
				token, err := member(c, "access_token")
				if err != nil {
					return err
				}
				ask = request("GET", s.host(), "/oauth/userinfo", "", "Authorization: Bearer "+token)
			}
			if err := c.do(ask); err != nil {
				return err
			}
			return c.expect(200, `"sub":"`)
		}
	}
}

// applicationRefreshes lets each client spend a refresh token of its own, then
// the one it got.
func applicationRefreshes(s *server, a application, in []signedIn) func(int) step {
	spent := make([]string, len(in))
	return func(i int) step {
		b := in[i%len(in)]
		return func(c *conn) (err error) {
			old := spent[i]
			if old == "" {
				err = code(s, a, b, "openid offline_access")(c)
			} else if err = c.do(a.ask(s, "/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old}})); err == nil {
				err = tokenAnswer(c, "eyJ")
			}
			if err != nil {
				return err
			}
			if spent[i], err = member(c, "refresh_token"); err == nil && spent[i] == old {
				err = errors.New("a refresh gave the same token again")
			}
			return err
		}
	}
}

// field is a header of the latest answer.
func (c *conn) field(name string) string {
	for line := range bytes.Lines(c.head) {
		if v, ok := value(bytes.TrimRight(line, "\r\n"), name); ok {
			return string(v)
		}
	}
	return ""
}
