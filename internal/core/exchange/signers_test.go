package exchange_test

import (
	"errors"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
)

// service registers an application that asks for tokens of its own.
func (n *node) service(t *testing.T, id string, with client.Settings) exchange.ClientProof {
	t.Helper()
	made, err := n.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: client.Client{ID: id, Name: id, Type: "machine",
		Resources: []string{"https://" + id + ".example.com"}, Scopes: []string{"read"}, Settings: with}}})
	if err != nil {
		t.Fatal(err)
	}
	return exchange.ClientProof{ID: id, Secret: made[0].Secret}
}

func (n *node) granted(t *testing.T, p exchange.ClientProof) string {
	t.Helper()
	g, err := n.ClientCredentials(t.Context(), settle.Caller{}, p, exchange.Asked{})
	if err != nil {
		t.Fatal(err)
	}
	return g.Access
}

func (n *node) algOf(t *testing.T, text string) jose.Alg {
	t.Helper()
	return n.keys.Keys.Ring().Verify[n.inspected(t, text).KID].Alg()
}

// Each application's tokens are signed by the algorithm it asked for; its key is
// made with the application, known to every node, takes turns, and is replaced
// at once when it was compromised.
func TestTokensAreSignedAsTheirApplicationAsks(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		other := r.open(hourly)
		plain, ed := r.service(t, "plain", client.Settings{}), r.service(t, "ed", client.Settings{Answers: client.Answers{AccessTokenAlg: jose.EdDSA}})
		same := r.service(t, "same", client.Settings{Answers: client.Answers{AccessTokenAlg: jose.ES256}})
		if kids := r.keysIn(t, key.SigningES256, key.Current); len(kids) != 0 {
			t.Errorf("keys of the server's own algorithm again: %v", kids)
		}
		kid := r.current(t, key.SigningEdDSA)
		eventually(t, "the other node has the key", func() bool { _, ok := other.keys.Keys.Ring().Verify[kid]; return ok })
		for _, p := range []exchange.ClientProof{plain, same, ed} {
			want := jose.ES256
			if p.ID == ed.ID {
				want = jose.EdDSA
			}
			if got := other.algOf(t, r.granted(t, p)); got != want {
				t.Errorf("%s: signed by %s", p.ID, got)
			}
			if got := r.algOf(t, other.granted(t, p)); got != want {
				t.Errorf("%s: signed by %s at the other node", p.ID, got)
			}
		}

		// Its turn.
		before := r.granted(t, ed)
		if err := r.manage.RotateKey(t.Context(), operator, key.SigningEdDSA, false); err != nil {
			t.Fatal(err)
		}
		next := r.keysIn(t, key.SigningEdDSA, key.Next)
		r.clock.add(key.Shortly)
		for _, n := range []*node{r.node, other} {
			eventually(t, "the next key signs", func() bool { return n.keys.Keys.Ring().SignerBy(jose.EdDSA).KID() == next[0] })
		}
		if c := other.inspected(t, other.granted(t, ed)); c.KID != next[0] {
			t.Errorf("signed by %s after its turn", c.KID)
		}
		other.inspected(t, before)

		// In other hands: what it signed is dead, and another signs.
		stolen := r.granted(t, ed)
		if err := r.manage.RetireKey(t.Context(), operator, next[0], true); err != nil {
			t.Fatal(err)
		}
		r.accessRefused(t, stolen, "token.signature")
		eventually(t, "the other node knows", func() bool { return other.keys.Keys.Ring().SignerBy(jose.EdDSA).KID() != next[0] })
		if kid := other.inspected(t, other.granted(t, ed)).KID; kid == next[0] {
			t.Error("a key in other hands signs")
		}
		r.inspected(t, r.granted(t, plain))
	}, hourly)
}

// A key that should be there and is not is made by the job that turns keys: no
// token is signed by another algorithm meanwhile.
func TestAKeyThatIsMissingIsMade(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.service(t, "app", client.Settings{Answers: client.Answers{AccessTokenAlg: jose.EdDSA}})
		r.exec(`delete from keys where purpose = 10`)
		r.clock.add(time.Hour)
		if err := r.keys.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ClientCredentials(t.Context(), settle.Caller{}, p, exchange.Asked{}); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("without a key: %v", err)
		}
		if err := r.manage.TurnKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.algOf(t, r.granted(t, p)); got != jose.EdDSA {
			t.Errorf("signed by %s", got)
		}
	})
}
