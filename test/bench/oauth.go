package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
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
}

func register(s *server) (all applications, err error) {
	for _, one := range []struct {
		to   *application
		args []string
	}{
		{&all.jwt, []string{"--type", "machine", "--scope", "notes:read"}},
		{&all.opaque, []string{"--type", "machine", "--scope", "notes:read", "--token-format", "opaque"}},
	} {
		args := append([]string{"clients", "create", "--name", "Bench", "--resource", resource}, one.args...)
		if err := s.command(one.to, "", args...); err != nil {
			return all, err
		}
	}
	return all, nil
}

// oauthWorkloads are those of the token endpoint and of what reads its tokens.
func oauthWorkloads(s *server, apps applications) []*workload {
	const tail = 5 * time.Millisecond
	return []*workload{
		{id: "W1", name: "client credentials, opaque", of: "token", least: 0.9, tail: tail, addr: s.listen, cost: s.cost, client: credentialsOf(s, apps.opaque, "dw_at_")},
		{id: "W1j", name: "client credentials, JWT", of: "token", least: 0.8, tail: tail, addr: s.listen, cost: s.cost, client: credentialsOf(s, apps.jwt, "eyJ")},
		{id: "W2", name: "introspection, opaque", of: "hello", least: 0.36, tail: tail, addr: s.listen, cost: s.cost, client: introspections(s, apps.opaque)},
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
