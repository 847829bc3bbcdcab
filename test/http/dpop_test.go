package http_test

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

var machineGrant = url.Values{"grant_type": {"client_credentials"}}

// tokenAnswer is RFC 6749 section 5.1.
type tokenAnswer struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Refresh string `json:"refresh_token"`
}

func granted(t *testing.T, a rig.Answer) (out tokenAnswer) {
	t.Helper()
	a.Want(t, 200).Into(t, &out)
	return out
}

// refusedAt expects an error of RFC 6749 section 5.2 by a check.
func refusedAt(t *testing.T, what string, a rig.Answer, status int, code, id string) {
	t.Helper()
	if r := a.Refusal(t); a.Status != status || r.Error != code || r.Check != id {
		t.Errorf("%s: %d %s by %q, want %d %s by %q", what, a.Status, r.Error, r.Check, status, code, id)
	}
}

// machine registers a machine whose tokens may follow revocations, so that
// there is an address that takes them.
func machine(s *rig.Server, id string, more map[string]any) rig.Client {
	metadata := map[string]any{"client_id": id, "client_name": id, "doorward_type": "machine", "doorward_resources": []string{id + "-api"}, "scope": "revocations:read"}
	for name, v := range more {
		metadata[name] = v
	}
	return s.Register(metadata)
}

// AS-32: a proof at the token endpoint binds the token to its key, and what is
// wrong with one is refused by name.
func TestDPoPAtTheTokenEndpoint(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		c, h := machine(s, "job", nil), s.Holder()
		at := s.URL + "/oauth/token"
		free := granted(t, s.Token(c, "", machineGrant))
		if free.Type != "Bearer" {
			t.Errorf("without a proof: %+v", free)
		}
		bound := granted(t, s.Token(c, h.Proof("POST", at, "", nil), machineGrant))
		if bound.Type != "DPoP" {
			t.Errorf("with a proof: %+v", bound)
		}
		if cnf, _ := part(t, strings.Split(bound.Access, ".")[1])["cnf"].(map[string]any); cnf["jkt"] != h.Thumbprint {
			t.Errorf("it is bound to %v, want %s", cnf, h.Thumbprint)
		}
		now := time.Now().Unix()
		for name, claims := range map[string]struct {
			over map[string]any
			id   string
		}{
			"no jti":          {map[string]any{"jti": nil}, "dpop.form"},
			"iat as text":     {map[string]any{"iat": "now"}, "dpop.form"},
			"another method":  {map[string]any{"htm": "GET"}, "dpop.method"},
			"another address": {map[string]any{"htu": s.URL + "/oauth/introspect"}, "dpop.address"},
			"another server":  {map[string]any{"htu": "https://evil.example/oauth/token"}, "dpop.address"},
			"an old one":      {map[string]any{"iat": now - 70}, "dpop.in_time"},
			"a future one":    {map[string]any{"iat": now + 30}, "dpop.in_time"},
		} {
			refusedAt(t, name, s.Token(c, h.Proof("POST", at, "", claims.over), machineGrant), 400, "invalid_dpop_proof", claims.id)
		}
		good := h.Proof("POST", at, "", nil)
		refusedAt(t, "junk", s.Token(c, "x", machineGrant), 400, "invalid_dpop_proof", "dpop.form")
		refusedAt(t, "two in one", s.Token(c, good+", "+good, machineGrant), 400, "invalid_dpop_proof", "dpop.form")
		refusedAt(t, "a changed one", s.Token(c, good[:len(good)-4]+"AAAA", machineGrant), 400, "invalid_dpop_proof", "dpop.signature")
		// None of these was used up, and a good one is, once.
		granted(t, s.Token(c, good, machineGrant))
		refusedAt(t, "a used one", s.Token(c, good, machineGrant), 400, "invalid_dpop_proof", "dpop.unspent")
		s.Restart()
		refusedAt(t, "a used one after a restart", s.Token(c, good, machineGrant), 400, "invalid_dpop_proof", "dpop.unspent")
		wrong := h.Proof("POST", at, "", nil)
		refusedAt(t, "a good one of somebody else", s.Token(rig.Client{ID: c.ID, Secret: "guess"}, wrong, machineGrant), 401, "invalid_client", "client.authentic")
		granted(t, s.Token(c, wrong, machineGrant))

		strict := machine(s, "strict", map[string]any{"dpop_bound_access_tokens": true})
		refusedAt(t, "without a proof", s.Token(strict, "", machineGrant), 400, "invalid_dpop_proof", "dpop.demanded")
		if got := granted(t, s.Token(strict, h.Proof("POST", at, "", nil), machineGrant)); got.Type != "DPoP" {
			t.Errorf("%+v", got)
		}
	})
}

// A bound token counts with a proof of its key alone (RFC 9449 section 7).
func TestABoundTokenNeedsItsKey(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		h, thief := s.Holder(), s.Holder()
		for _, format := range []string{"jwt", "opaque"} {
			c := machine(s, "job-"+format, map[string]any{"doorward_token_format": format})
			token := granted(t, s.Token(c, h.Proof("POST", s.URL+"/oauth/token", "", nil), machineGrant)).Access
			const path = "/revocations"
			s.DPoP(h, "GET", path, token, nil).Want(t, 200)
			s.DPoP(h, "GET", path+"?after=0", token, nil).Want(t, 200)
			for name, try := range map[string]struct {
				a    rig.Answer
				code string
				id   string
			}{
				"as Bearer":           {s.Bearer("GET", path, token), "invalid_token", "token.sender"},
				"by another key":      {s.DPoP(thief, "GET", path, token, nil), "invalid_token", "token.sender"},
				"without ath":         {s.DPoP(h, "GET", path, token, map[string]any{"ath": nil}), "invalid_dpop_proof", "dpop.token"},
				"for another token":   {s.DPoP(h, "GET", path, token, map[string]any{"ath": "x"}), "invalid_dpop_proof", "dpop.token"},
				"for another method":  {s.DPoP(h, "GET", path, token, map[string]any{"htm": "POST"}), "invalid_dpop_proof", "dpop.method"},
				"for another address": {s.DPoP(h, "GET", path, token, map[string]any{"htu": s.URL + "/session"}), "invalid_dpop_proof", "dpop.address"},
				"an old one":          {s.DPoP(h, "GET", path, token, map[string]any{"iat": 1}), "invalid_dpop_proof", "dpop.in_time"},
				"without a proof":     {s.Browser().Do("GET", path, nil, "Authorization", "DPoP "+token), "invalid_dpop_proof", "dpop.form"},
			} {
				if r := try.a.Refusal(t); try.a.Status != 401 || r.Check != try.id {
					t.Errorf("%s, %s: %d by %q, want %q", format, name, try.a.Status, r.Check, try.id)
				}
				if got := try.a.Header.Get("WWW-Authenticate"); got != `DPoP error="`+try.code+`", algs="ES256 EdDSA Ed25519 PS256 RS256"` {
					t.Errorf("%s, %s: challenged by %s", format, name, got)
				}
			}
			once := map[string]any{"jti": "the same " + format}
			s.DPoP(h, "GET", path, token, once).Want(t, 200)
			if r := s.DPoP(h, "GET", path, token, once).Refusal(t); r.Check != "dpop.unspent" {
				t.Errorf("%s: a used proof: %s", format, r.Check)
			}
			if r := s.CLI(token, "tokens", "verify"); r.Code != 0 || !strings.Contains(r.Stdout, "Bound  to the key "+h.Thumbprint) {
				t.Errorf("%s: tokens verify: %d %s", format, r.Code, r.Stdout)
			}
			// What a resource server is told of it (RFC 9449 section 6.2).
			var said struct {
				Active bool              `json:"active"`
				Type   string            `json:"token_type"`
				Cnf    map[string]string `json:"cnf"`
			}
			s.Introspect(c, token).Into(t, &said)
			if !said.Active || said.Type != "DPoP" || said.Cnf["jkt"] != h.Thumbprint {
				t.Errorf("%s: introspected as %+v", format, said)
			}
		}
		var meta struct {
			Algs []string `json:"dpop_signing_alg_values_supported"`
		}
		s.Browser().Do("GET", "/.well-known/openid-configuration", nil).Into(t, &meta)
		if !slices.Equal(meta.Algs, []string{"ES256", "EdDSA", "Ed25519", "PS256", "RS256"}) {
			t.Errorf("metadata: %v", meta.Algs)
		}
	})
}

// Of forty requests with one proof, to two nodes, one gets a token.
func TestAProofCountsOnceOnAllNodes(t *testing.T) {
	one := rig.Start(t, rig.Postgres, rig.Env("DOORWARD_KEYS_KEK_FILE="+filepath.Join(t.TempDir(), "kek")))
	two := rig.Start(t, rig.Postgres, rig.NodeOf(one))
	c, h := machine(one, "job", nil), one.Holder()
	for range 5 {
		proof := h.Proof("POST", one.URL+"/oauth/token", "", nil)
		var group sync.WaitGroup
		answers := make([]rig.Answer, 40)
		start := make(chan struct{})
		for i := range answers {
			group.Go(func() {
				<-start
				answers[i] = []*rig.Server{one, two}[i%2].Token(c, proof, machineGrant)
			})
		}
		close(start)
		group.Wait()
		won := 0
		for _, a := range answers {
			switch {
			case a.Status == 200:
				won++
			case a.Refusal(t).Check != "dpop.unspent":
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
		if won != 1 {
			t.Errorf("%d of 40 got a token with one proof", won)
		}
	}
}

// RFC 9449 sections 8 and 9: where a nonce is demanded it comes with the
// refusal, is good at every node, and is renewed.
func TestNoncesAreDemanded(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine, rig.Env("DOORWARD_TOKEN_DPOP_NONCE=required"))
		c, h := machine(s, "job", nil), s.Holder()
		at := s.URL + "/oauth/token"
		with := func(nonce string) map[string]any { return map[string]any{"nonce": nonce} }
		a := s.Token(c, h.Proof("POST", at, "", nil), machineGrant)
		refusedAt(t, "without a nonce", a, 400, "use_dpop_nonce", "dpop.nonce")
		nonce := a.Header.Get("DPoP-Nonce")
		refusedAt(t, "with another's", s.Token(c, h.Proof("POST", at, "", with("AAAAAAAAAAAAAAAAAAAAAA")), machineGrant), 400, "use_dpop_nonce", "dpop.nonce")
		a = s.Token(c, h.Proof("POST", at, "", with(nonce)), machineGrant)
		token := granted(t, a).Access
		if a.Header.Get("DPoP-Nonce") == "" {
			t.Error("the next nonce is not given")
		}
		refused := s.DPoP(h, "GET", "/revocations", token, nil)
		if r := refused.Refusal(t); refused.Status != 401 || r.Check != "dpop.nonce" || refused.Header.Get("DPoP-Nonce") == "" ||
			!strings.HasPrefix(refused.Header.Get("WWW-Authenticate"), `DPoP error="use_dpop_nonce"`) {
			t.Errorf("at a resource: %d %+v %v", refused.Status, r, refused.Header)
		}
		s.DPoP(h, "GET", "/revocations", token, with(nonce)).Want(t, 200)
		// Nobody is asked who sends no proof.
		if a := s.Token(c, "", machineGrant).Want(t, 200); a.Header.Get("DPoP-Nonce") != "" {
			t.Error("a nonce without a proof")
		}
		s.Clock("+6m")
		h.Now = func() time.Time { return time.Now().Add(6 * time.Minute) }
		refusedAt(t, "an old nonce", s.Token(c, h.Proof("POST", at, "", with(nonce)), machineGrant), 400, "use_dpop_nonce", "dpop.nonce")
	})
}
