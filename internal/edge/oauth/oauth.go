// Package oauth is the protocol surface of OAuth 2.0: metadata, keys, and
// what resource servers ask about tokens.
package oauth

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/edge/door"
)

// OAuth serves the protocol endpoints.
type OAuth struct {
	Door     *door.Door
	Exchange *exchange.Exchanges
	Keys     *key.Keyring
}

// Routes mounts the protocol endpoints.
func (o *OAuth) Routes(mux *http.ServeMux) {
	mux.Handle("/.well-known/openid-configuration", o.Door.On(refusal, o.public(o.metadata)))
	mux.Handle("/.well-known/oauth-authorization-server", o.Door.On(refusal, o.public(o.metadata)))
	mux.Handle("/oauth/jwks", o.Door.On(refusal, o.public(o.jwks)))
	mux.Handle("/oauth/introspect", o.Door.On(refusal, o.introspect))
}

// metadata lists what works, and nothing else (RFC 8414 section 2).
func (o *OAuth) metadata(ring *key.Ring) any {
	issuer := o.Exchange.Policy().Issuer
	return struct {
		Issuer      string     `json:"issuer"`
		JWKS        string     `json:"jwks_uri"`
		Introspect  string     `json:"introspection_endpoint"`
		IntroAuth   []string   `json:"introspection_endpoint_auth_methods_supported"`
		Algorithms  []jose.Alg `json:"access_token_signing_alg_values_supported"`
		Revocations string     `json:"doorward_revocations_endpoint"`
		Stream      string     `json:"doorward_revocations_stream_endpoint"`
		ACR         []string   `json:"acr_values_supported"`
	}{
		Issuer: issuer, JWKS: issuer + "/oauth/jwks", Introspect: issuer + "/oauth/introspect",
		IntroAuth: []string{"client_secret_basic", "client_secret_post"}, Algorithms: ring.Algs(),
		Revocations: issuer + "/revocations", Stream: issuer + "/revocations/stream", ACR: []string{"urn:doorward:acr:1"},
	}
}

func (o *OAuth) jwks(ring *key.Ring) any {
	keys := make([]jose.Key, 0, len(ring.Verify))
	for _, k := range ring.Verify {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b jose.Key) int { return strings.Compare(a.KID(), b.KID()) })
	return jose.Set(keys...)
}

// public serves a document that anyone may read and keep for five minutes,
// from any page. It follows from the ring of keys alone and is written once
// for each.
func (o *OAuth) public(of func(*key.Ring) any) door.Handler {
	type written struct {
		ring *key.Ring
		body []byte
	}
	var last atomic.Pointer[written]
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			return check.Refuse(door.Method)
		}
		d := last.Load()
		if ring := o.Keys.Ring(); d == nil || d.ring != ring {
			body, err := json.Marshal(of(ring), json.Deterministic(true))
			if err != nil {
				return err
			}
			d = &written{ring, body}
			last.Store(d)
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=300, stale-while-revalidate=86400")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		_, err := w.Write(d.body)
		return err
	}
}

// introspection is RFC 7662 section 2.2. A token that is not active has one
// member.
type introspection struct {
	Active    bool     `json:"active"`
	Issuer    string   `json:"iss,omitzero"`
	Subject   string   `json:"sub,omitzero"`
	Audience  []string `json:"aud,omitempty"`
	ExpiresAt int64    `json:"exp,omitzero"`
	NotBefore int64    `json:"nbf,omitzero"`
	IssuedAt  int64    `json:"iat,omitzero"`
	JTI       string   `json:"jti,omitzero"`
	Client    string   `json:"client_id,omitzero"`
	Scope     string   `json:"scope,omitzero"`
	TokenType string   `json:"token_type,omitzero"`
	Session   string   `json:"sid,omitzero"`
	Grant     string   `json:"grant_id,omitzero"`
	Rev       uint64   `json:"rev,omitzero"`
	ACR       string   `json:"acr,omitzero"`
	AMR       []string `json:"amr,omitempty"`
	AuthTime  int64    `json:"auth_time,omitzero"`
}

func (o *OAuth) introspect(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return check.Refuse(door.Method)
	}
	f, err := door.OAuthForm(w, r, "token", "token_type_hint", "client_id", "client_secret")
	if err != nil {
		return err
	}
	id, secret, basic, err := door.BasicClient(r)
	if err != nil {
		return err
	}
	// One way to authenticate for each request (RFC 6749 section 2.3).
	if basic && f.Has("client_secret") || basic && f.Has("client_id") && f.Get("client_id") != id || !f.Has("token") {
		return check.Refuse(door.Body)
	}
	if !basic {
		id, secret = f.Get("client_id"), f.Get("client_secret")
	}
	in, err := o.Exchange.Introspect(r.Context(), o.Door.Caller(r), exchange.ClientProof{ID: id, Secret: secret}, f.Get("token"))
	if err != nil {
		return err
	}
	out := introspection{Active: in.Active}
	if c := in.Claims; in.Active {
		out = introspection{Active: true, Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, ExpiresAt: c.ExpiresAt.Unix(),
			NotBefore: c.IssuedAt.Unix(), IssuedAt: c.IssuedAt.Unix(), JTI: c.JTI, Client: c.Client, Scope: c.Scope, TokenType: "Bearer",
			Session: c.Session, Grant: c.Grant, Rev: c.Rev, ACR: c.ACR, AMR: c.AMR, AuthTime: unix(c.AuthTime)}
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// codes are this surface's table from faults to the error codes of RFC 6749
// section 5.2.
var codes = map[fault.Kind]string{
	fault.Malformed: "invalid_request", fault.TooLarge: "invalid_request", fault.Unsupported: "invalid_request", fault.Method: "invalid_request",
	fault.Missing: "invalid_request", fault.Misdirected: "invalid_request", fault.Unacceptable: "invalid_request",
	fault.Client: "invalid_client", fault.Grant: "invalid_grant", fault.Scope: "insufficient_scope", fault.Denied: "access_denied",
	fault.Unauthenticated: "invalid_token", fault.Stale: "insufficient_user_authentication",
	fault.Slow: "slow_down", fault.Busy: "temporarily_unavailable", fault.Internal: "server_error",
}

// refusal renders a refusal as OAuth JSON (RFC 6749 section 5.2) with the
// check and the reference beside it.
func refusal(w http.ResponseWriter, _ *http.Request, e *check.Refusal, status int) {
	c := e.Check()
	if c.Fault == fault.Client {
		w.Header().Set("WWW-Authenticate", `Basic realm="doorward", charset="UTF-8"`)
	}
	door.WriteJSON(w, "application/json", status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Check       string `json:"check,omitzero"`
		Ref         string `json:"ref"`
	}{codes[c.Fault], c.Title, c.Shown, e.Ref})
}
