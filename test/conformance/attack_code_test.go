package conformance

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// OAU-08: a code or a refresh token is worth nothing to another application,
// and a code that somebody else tried is worth nothing any more.
func TestOneApplicationsCodeAtAnother(t *testing.T) {
	each(t, func(x *suite) {
		a, b := x.app(nil), x.app(nil)
		public := x.app(map[string]any{"token_endpoint_auth_method": "none", "doorward_type": "spa", "doorward_pkce": nil})
		redeem := func(by *app, code string, more ...string) rig.Answer {
			return by.post("token_endpoint", append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback}, more...)...)
		}
		for what, other := range map[string]*app{"a confidential": b, "a public": public} {
			code := a.code(x.t, x.visitor, a.request())
			invalid(x.t, redeem(other, code), http.StatusBadRequest, "invalid_grant")
			if answer := redeem(a, code); answer.Status != http.StatusBadRequest {
				x.t.Errorf("after %s application tried it, the code gave %d", what, answer.Status)
			}
		}
		// C1 as nobody: its id is no proof.
		code := a.code(x.t, x.visitor, a.request())
		impostor := &app{a.Client, x, "none"}
		invalid(x.t, redeem(impostor, code), http.StatusUnauthorized, "invalid_client")
		wrong := &app{rig.Client{ID: a.ID, Secret: b.Secret}, x, a.auth}
		invalid(x.t, redeem(wrong, code), http.StatusUnauthorized, "invalid_client")
		// An attempt that proved nothing cost nothing.
		got := a.redeem(x.t, code)
		// Bought already, and then tried by another: what it bought dies.
		invalid(x.t, redeem(b, code), http.StatusBadRequest, "invalid_grant")
		if answer := x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.Access); answer.Status != http.StatusUnauthorized {
			x.t.Errorf("what a code bought outlives its theft: %d", answer.Status)
		}
		// The address is part of it.
		code = a.code(x.t, x.visitor, a.request())
		invalid(x.t, redeem(a, code, "redirect_uri", callback+"/"), http.StatusBadRequest, "invalid_grant")
		code = a.code(x.t, x.visitor, a.request())
		if answer := redeem(a, code, "redirect_uri", ""); answer.Status != http.StatusBadRequest {
			x.t.Errorf("without its address a code gave %d", answer.Status)
		}
		got, _ = a.tokens(x.t, x.visitor, "scope", "openid offline_access")
		for _, other := range []*app{b, public} {
			invalid(x.t, other.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", got.Refresh), http.StatusBadRequest, "invalid_grant")
		}
		a.post("token_endpoint", "grant_type", "refresh_token", "refresh_token", got.Refresh).Want(x.t, http.StatusOK)
	})
}

// OAU-09: fifty at once with one code, at two nodes where there can be two: one
// gets something, and a replay takes it away.
func TestFiftyRedemptionsOfOneCode(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		x := &suite{t: t, s: rig.Start(t, engine, rig.Env("DOORWARD_KEYS_KEK_FILE="+filepath.Join(t.TempDir(), "kek")))}
		x.ana = x.s.User("ana")
		x.visitor = x.s.Visitor(x.ana)
		x.s.Bearer(http.MethodGet, "/.well-known/openid-configuration", "").Into(t, &x.meta)
		nodes := []*rig.Server{x.s}
		if engine == rig.Postgres {
			nodes = append(nodes, rig.Start(t, engine, rig.NodeOf(x.s)))
		}
		a := x.app(nil)
		code := a.code(t, x.visitor, a.request())
		answers := make([]rig.Answer, 50)
		var wait sync.WaitGroup
		begin := make(chan struct{})
		for i := range answers {
			node := &suite{t: t, s: nodes[i%len(nodes)], meta: x.meta}
			by := &app{a.Client, node, a.auth}
			wait.Go(func() {
				<-begin
				answers[i] = by.post("token_endpoint", "grant_type", "authorization_code", "code", code, "redirect_uri", callback)
			})
		}
		close(begin)
		wait.Wait()
		won := 0
		var got tokens
		for _, answer := range answers {
			switch answer.Status {
			case http.StatusOK:
				won++
				answer.Into(t, &got)
			case http.StatusBadRequest:
			default:
				t.Errorf("answered %d %s", answer.Status, answer.Body)
			}
		}
		if won != 1 {
			t.Errorf("%d of fifty got tokens", won)
		}
		a.post("token_endpoint", "grant_type", "authorization_code", "code", code, "redirect_uri", callback).Want(t, http.StatusBadRequest)
		if answer := x.s.Bearer(http.MethodGet, x.at("userinfo_endpoint"), got.Access); answer.Status != http.StatusUnauthorized {
			t.Errorf("after a replay userinfo answers %d", answer.Status)
		}
	})
}

// The pair of RFC 7636 appendix B.
const (
	vectorVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	vectorChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// OAU-13: a code is bound to the verifier of who asked for it, and no request
// can leave that out or weaken it.
func TestPKCECannotBeLeftOut(t *testing.T) {
	each(t, func(x *suite) {
		strict := x.app(map[string]any{"doorward_pkce": nil})
		public := x.app(map[string]any{"doorward_pkce": nil, "token_endpoint_auth_method": "none", "doorward_type": "spa"})
		optional := x.app(nil)
		challenged := []string{"code_challenge", vectorChallenge, "code_challenge_method", "S256"}
		for _, a := range []*app{strict, public} {
			for what, more := range map[string][]string{
				"no challenge": nil, "a method alone": {"code_challenge_method", "S256"}, "plain": {"code_challenge", vectorVerifier, "code_challenge_method", "plain"},
				"no method": {"code_challenge", vectorChallenge}, "an unknown method": {"code_challenge", vectorChallenge, "code_challenge_method", "S512"},
				"another case": {"code_challenge", vectorChallenge, "code_challenge_method", "s256"}, "a short challenge": {"code_challenge", vectorChallenge[:42], "code_challenge_method", "S256"},
				"a long challenge": {"code_challenge", strings.Repeat("a", 129), "code_challenge_method", "S256"}, "other characters": {"code_challenge", vectorChallenge[:42] + "=", "code_challenge_method", "S256"},
			} {
				q := a.request(more...)
				if answer := a.back(x.t, a.authorize(x.visitor, q), q); answer.Get("error") != "invalid_request" {
					x.t.Errorf("with %s the application was told %v", what, answer)
				}
			}
		}
		for _, a := range []*app{strict, public, optional} {
			a.redeem(x.t, a.code(x.t, x.visitor, a.request(challenged...)), "code_verifier", vectorVerifier)
			// A client of OAuth 2.1 does not send the address again (section 10.2).
			a.redeem(x.t, a.code(x.t, x.visitor, a.request(challenged...)), "code_verifier", vectorVerifier, "redirect_uri", "")
			for what, verifier := range map[string]string{"none": "", "another": strings.Repeat("b", 43), "a short one": vectorVerifier[:42], "the challenge": vectorChallenge,
				"a long one": strings.Repeat("a", 129), "one with a space": vectorVerifier[:42] + " ", "one in other letters": strings.ToUpper(vectorVerifier)} {
				code := a.code(x.t, x.visitor, a.request(challenged...))
				answer := a.post("token_endpoint", "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier)
				if r := answer.Refusal(x.t); answer.Status != http.StatusBadRequest || r.Error != "invalid_grant" && r.Error != "invalid_request" {
					x.t.Errorf("with %s for a verifier a code gave %d %s", what, answer.Status, answer.Body)
				}
			}
		}
		// A verifier for a code that was asked for without a challenge is a sign
		// of somebody who took the challenge out (RFC 9700 section 4.8.2).
		code := optional.code(x.t, x.visitor, optional.request())
		answer := optional.post("token_endpoint", "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", vectorVerifier)
		if answer.Status != http.StatusBadRequest {
			x.t.Errorf("a verifier without a challenge gave %d", answer.Status)
		}
		r := x.s.CLI(`{"client_name":"Notes","redirect_uris":["`+callback+`"],"token_endpoint_auth_method":"none","doorward_pkce":"optional"}`, "clients", "create", "--metadata", "-", "--json")
		if r.Code == 0 {
			x.t.Error("a public client may leave PKCE out")
		}
	})
}
