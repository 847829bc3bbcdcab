package clients

import (
	"context"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/doorward/doorward/test/rig"
)

// The client that most programs in Go use finds the server.
func TestGoOIDCDiscovers(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ctx := oidc.ClientContext(context.Background(), s.Client())
		p, err := oidc.NewProvider(ctx, s.URL)
		if err != nil {
			t.Fatal(err)
		}
		var more struct {
			JWKS string `json:"jwks_uri"`
		}
		if err := p.Claims(&more); err != nil || more.JWKS == "" {
			t.Errorf("the keys are at %q (%v)", more.JWKS, err)
		}
	})
}
