package client_test

import (
	"testing"

	"github.com/doorward/doorward/internal/core/client"
)

// What the session API gives a page is bound to no key: an application cannot
// have that and demand bound tokens.
func TestBoundTokensAndTheSessionAPI(t *testing.T) {
	c := client.Client{ID: "notes", Type: "spa", Auth: client.AuthNone, TokenFormat: client.JWT, RedirectURIs: []string{"https://notes.example.com/cb"},
		Settings: client.Settings{BoundTokens: true}}
	if word, ok := c.Valid(false); !ok {
		t.Errorf("bound tokens alone: %s", word)
	}
	c.FirstParty = true
	if word, ok := c.Valid(false); !ok {
		t.Errorf("of a first-party application without pages: %s", word)
	}
	c.Origins = []string{"https://notes.example.com"}
	if word, ok := c.Valid(false); ok || word != client.WordBound {
		t.Errorf("with pages at the session API: %v %s", ok, word)
	}
}
