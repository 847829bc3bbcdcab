package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
)

// A shelf is what is published at addresses.
type shelf struct {
	mu    sync.Mutex
	at    map[string]string
	media string
	asked []string
}

func (s *shelf) Document(_ context.Context, address string) ([]byte, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, address)
	text, ok := s.at[address]
	if !ok {
		return nil, "", errors.New("there is nothing")
	}
	return []byte(text), s.media, nil
}

func (s *shelf) put(address, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[address] = text
}

const agent = "https://agent.example.com/client.json"

func agentSays(with string) string {
	return `{"client_id":"` + agent + `","client_name":"Agent","redirect_uris":["` + callback + `"]` + with + `}`
}

// An application is known by the document at the address that is its id, gets
// what a stranger gets, and changes with the document (OAU-25, AS-35).
func TestAnApplicationBringsItsDocument(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		docs := &shelf{at: map[string]string{agent: agentSays("")}, media: "application/json"}
		n := r.open(lifetimes(func(p *exchange.Policy) { p.Documents = docs }))
		of := n.signIn(t, r.person())
		ask := func(scope string) (exchange.Authorization, error) {
			return n.Authorize(t.Context(), from("192.0.2.7"), of.Cookie, n.asking(t, r, agent, scope))
		}
		a, err := ask("openid")
		if err != nil || a.Missing != exchange.AConsent || !a.Client.SelfRegistered || a.Client.Name != "Agent" || a.Client.FirstParty || a.Client.Auth != "none" {
			t.Fatalf("%+v, %v", a, err)
		}
		if err := n.Allow(t.Context(), from("192.0.2.7"), of.Cookie, n.asking(t, r, agent, "openid"), []string{"openid"}); err != nil {
			t.Fatal(err)
		}
		g := n.given(t, r, of, exchange.ClientProof{ID: agent}, "openid")
		if c := n.inspected(t, g.Access); c.Client != agent {
			t.Errorf("%+v", c)
		}
		head := r.events()
		if _, err := ask("openid"); err != nil || len(r.events()) != len(head) {
			t.Errorf("the same document was taken as news: %v", err)
		}
		// It goes back somewhere else from now on.
		docs.put(agent, strings.Replace(agentSays(""), callback, "https://elsewhere.example.com/cb", 1))
		_, err = ask("openid")
		refused(t, err, "redirect.exact")
		_, err = n.Inspect(t.Context(), g.Access, issuer)
		refused(t, err, "token.alive") // what it was given before the change
		docs.put(agent, agentSays(""))

		for name, text := range map[string]string{
			"another's id": strings.Replace(agentSays(""), agent, agent+"x", 1), "no JSON": "<html>", "an id twice": agentSays(`,"client_id":"x"`),
			"with a secret": agentSays(`,"client_secret":"s3cret"`), "an empty one": "",
		} {
			docs.put(agent, text)
			_, err := ask("openid")
			if named(err) != "document.read" {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, with := range map[string]string{
			"proves itself by a secret": `,"token_endpoint_auth_method":"client_secret_basic"`, "a scope of ours": `,"scope":"openid notes:read"`,
			"keys without a name": `,"token_endpoint_auth_method":"private_key_jwt"`,
		} {
			docs.put(agent, agentSays(with))
			_, err := ask("openid")
			if id := named(err); id != "document.modest" && id != "document.read" {
				t.Errorf("%s: %v", name, err)
			}
		}
		docs.put(agent, strings.Replace(agentSays(""), callback, "javascript:alert(1)", 1))
		_, err = ask("openid")
		refused(t, err, "document.modest")
		docs.put(agent, agentSays(""))
		docs.media = "text/html"
		_, err = ask("openid")
		refused(t, err, "document.read")
		docs.media = "application/json"

		// Who deleted it is not overruled by a document.
		if err := n.manage.DeleteClient(t.Context(), operator, agent); err != nil {
			t.Fatal(err)
		}
		_, err = ask("openid")
		refused(t, err, "request.client")
	})
}

// DOS-01: each new document is a row for good, so one network makes few of them known.
func TestFewDocumentsFromOneNetwork(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		docs := &shelf{at: map[string]string{}, media: "application/json"}
		n := r.open(lifetimes(func(p *exchange.Policy) { p.Documents = docs }))
		ask := func(by settle.Caller, i int) error {
			id := fmt.Sprintf("%s%d", agent, i)
			docs.put(id, strings.Replace(agentSays(""), agent, id, 1))
			_, err := n.Authorize(t.Context(), by, "", n.asking(t, r, id, "openid"))
			return err
		}
		for i := range 20 {
			if err := ask(from("192.0.2.7"), i); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, ask(from("192.0.2.7"), 20), "limit.registrations")
		if err := ask(from("192.0.2.7"), 3); err != nil {
			t.Errorf("a known one: %v", err)
		}
		if err := ask(from("203.0.113.9"), 20); err != nil {
			t.Errorf("another network: %v", err)
		}
	})
}

// What an operator vouches for is as the operator says, whatever the document says by now.
func TestAnOperatorsWordStandsOverADocument(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		docs := &shelf{at: map[string]string{agent: agentSays("")}, media: "application/json"}
		n := r.open(lifetimes(func(p *exchange.Policy) { p.Documents = docs }))
		ask := func() (exchange.Authorization, error) {
			return n.Authorize(t.Context(), from("192.0.2.7"), "", n.asking(t, r, agent, "openid"))
		}
		if a, err := ask(); err != nil || !a.Client.SelfRegistered {
			t.Fatalf("%+v, %v", a.Client, err)
		}
		_, _, err := n.manage.EditClient(t.Context(), operator, agent, nil, func(c client.Client) (client.Client, bool) {
			c.SelfRegistered, c.Scopes = false, []string{"openid"}
			return c, true
		})
		if err != nil {
			t.Fatal(err)
		}
		docs.put(agent, agentSays(`,"client_uri":"https://elsewhere.example.com/"`))
		if a, err := ask(); err != nil || a.Client.SelfRegistered || len(a.Client.Scopes) != 1 || a.Client.URI != "" {
			t.Errorf("%+v, %v", a.Client, err)
		}
	})
}

// Switched off, an address is nobody's id, and nothing is read.
func TestDocumentsAreReadOnlyWhereThatIsOn(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		n := r.open()
		_, err := n.Authorize(t.Context(), from("192.0.2.7"), "", n.asking(t, r, agent, "openid"))
		refused(t, err, "request.client")
	})
}

// OAU-30: what is no address of the web is never asked for.
func TestWhatMayBeADocumentsAddress(t *testing.T) {
	for _, s := range []string{"http://agent.example.com/c", "https://agent.example.com", "https://agent.example.com/", "https://a@agent.example.com/c", "https://agent.example.com/c?x=1",
		"https://agent.example.com/c#x", "https://agent.example.com/a/../c", "https://AGENT.example.com/c", "https://agent.example.com:443/c", "ftp://agent.example.com/c", "https:///c",
		"https://agent.example.com/" + strings.Repeat("c", 300), "javascript:alert(1)//c", "https://agent.example.com./c"} {
		if client.DocumentID(s) {
			t.Errorf("%q", s)
		}
	}
	for _, s := range []string{agent, "https://agent.example.com:8443/oauth/client", "http://localhost:8400/c"} {
		if !client.DocumentID(s) {
			t.Errorf("%q is none", s)
		}
	}
}
