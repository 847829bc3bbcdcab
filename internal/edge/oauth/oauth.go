// Package oauth is the protocol surface of OAuth 2.0: metadata, keys, and
// what resource servers ask about tokens.
package oauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
)

// OAuth serves the protocol endpoints.
type OAuth struct {
	Door     *door.Door
	Exchange *exchange.Exchanges
	Keys     *key.Keyring
	// Machines is the address at which clients show certificates; nil where
	// there is none but the issuer.
	Machines *url.URL
	// Registers says that applications may register themselves.
	Registers bool
	// Documents says that a client id may be the address of a document.
	Documents bool
}

// Routes mounts the protocol endpoints.
func (o *OAuth) Routes(mux *http.ServeMux) {
	mux.Handle("/.well-known/openid-configuration", o.Door.On(door.OAuth, o.public(o.metadata)))
	mux.Handle("/.well-known/oauth-authorization-server", o.Door.On(door.OAuth, o.public(o.metadata)))
	mux.Handle("/oauth/jwks", o.Door.On(door.OAuth, o.public(o.jwks)))
	mux.Handle("/oauth/introspect", o.Door.On(door.OAuth, post(o.introspect)))
	mux.Handle("/oauth/userinfo", o.Door.On(challenge, o.cross("GET, HEAD, POST", o.userinfo)))
	mux.Handle("/oauth/revoke", o.Door.On(door.OAuth, o.cross("POST", post(o.revoke))))
	mux.Handle("/oauth/token", o.Door.On(door.OAuth, o.cross("POST", post(o.token))))
	mux.Handle("/oauth/device", o.Door.On(door.OAuth, post(o.deviceBegin)))
	mux.Handle("/oauth/par", o.Door.On(door.OAuth, post(o.push)))
}

func (o *OAuth) jwks(ring *key.Ring) any {
	keys := make([]jose.Key, 0, len(ring.Verify))
	for _, k := range ring.Verify {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b jose.Key) int { return strings.Compare(a.KID(), b.KID()) })
	set := jose.Set(keys...)
	for _, k := range ring.Opening {
		set.Keys = append(set.Keys, k.JWK())
	}
	return set
}

// public serves a document that anyone may read and keep for five minutes,
// from any page. It follows from the ring of keys alone and is written once
// for each.
func (o *OAuth) public(of func(*key.Ring) any) door.Handler {
	type written struct {
		ring  *key.Ring
		body  []byte
		until time.Time // what operators declare is looked at again then
	}
	var last atomic.Pointer[written]
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			return check.Refuse(door.Method)
		}
		d := last.Load()
		if ring, now := o.Keys.Ring(), o.Door.Now(); d == nil || d.ring != ring || !now.Before(d.until) {
			body, err := json.Marshal(of(ring), json.Deterministic(true))
			if err != nil {
				return err
			}
			d = &written{ring, body, now.Add(publicFor)}
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

// publicFor is how long a public document stays as it was written.
const publicFor = time.Minute

// introspection is RFC 7662 section 2.2. A token that is not active has one
// member.
type introspection struct {
	Active    bool           `json:"active"`
	Issuer    string         `json:"iss,omitzero"`
	Subject   string         `json:"sub,omitzero"`
	Audience  []string       `json:"aud,omitempty"`
	ExpiresAt int64          `json:"exp,omitzero"`
	NotBefore int64          `json:"nbf,omitzero"`
	IssuedAt  int64          `json:"iat,omitzero"`
	JTI       string         `json:"jti,omitzero"`
	Client    string         `json:"client_id,omitzero"`
	Scope     string         `json:"scope,omitzero"`
	TokenType string         `json:"token_type,omitzero"`
	Session   string         `json:"sid,omitzero"`
	Grant     string         `json:"grant_id,omitzero"`
	Rev       uint64         `json:"rev,omitzero"`
	ACR       string         `json:"acr,omitzero"`
	AMR       []string       `json:"amr,omitempty"`
	AuthTime  int64          `json:"auth_time,omitzero"`
	Confirm   token.Confirm  `json:"cnf,omitzero"`
	Details   jsontext.Value `json:"authorization_details,omitzero"`
	Strict    bool           `json:"strict,omitzero"` // to be asked about at every use
	Act       *actor         `json:"act,omitzero"`    // RFC 8693 section 4.1
}

func (o *OAuth) introspect(w http.ResponseWriter, r *http.Request) error {
	f, err := door.OAuthForm(w, r, append(clientFields, "token", "token_type_hint")...)
	if err != nil {
		return err
	}
	proof, err := o.clientProof(r, f)
	if err != nil {
		return err
	}
	if !f.Has("token") {
		return check.Refuse(door.Body, check.As(door.Parameter))
	}
	in, err := o.Exchange.Introspect(r.Context(), o.Door.Caller(r), proof, f.Get("token"))
	if err != nil {
		return err
	}
	out := introspection{Active: in.Active}
	if c := in.Claims; in.Active {
		out = introspection{Active: true, Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, ExpiresAt: c.ExpiresAt.Unix(),
			NotBefore: c.IssuedAt.Unix(), IssuedAt: c.IssuedAt.Unix(), JTI: c.JTI, Client: c.Client, Scope: c.Scope, TokenType: "Bearer",
			Session: c.Session, Grant: c.Grant, Rev: c.Rev, ACR: c.ACR, AMR: c.AMR, AuthTime: unix(c.AuthTime), Confirm: c.Confirm, Strict: c.Strict != "", Details: client.DetailsJSON(c.Details), Act: acting(c.Act)}
		if c.Confirm.JKT != "" {
			out.TokenType = "DPoP" // RFC 9449 section 6.2
		}
	}
	return o.attested(w, r, in, out)
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
