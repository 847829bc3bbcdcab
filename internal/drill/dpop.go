package drill

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
)

const proofHeader = `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK}`

// A holder has a key of its own that tokens can be bound to, and carries the
// nonce that it was told last.
type holder struct {
	t *try
	forger
	nonce string
}

func (t *try) holder() *holder {
	h := &holder{t: t}
	h.own, h.jwk = t.key()
	return h
}

// proof signs a DPoP proof for a request, with a header that may be another
// than it should be, and claims that win over what it would say.
func (h *holder) proof(header, method, path, token string, claims map[string]any) string {
	id := secret.Random16()
	all := map[string]any{"jti": b64(id[:]), "htm": method, "htu": h.t.target + path, "iat": h.t.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		all["ath"] = b64(sum[:])
	}
	if h.nonce != "" {
		all["nonce"] = h.nonce
	}
	maps.Copy(all, claims)
	payload, err := json.Marshal(all)
	if err != nil {
		h.t.skip(err.Error())
	}
	return h.signed(strings.Replace(header, "JWK", h.jwk, 1), b64(payload))
}

// trades asks for a token of the drill's application, with a proof.
func (h *holder) trades(proof string) answer {
	credential := url.QueryEscape(h.t.reader.id) + ":" + url.QueryEscape(h.t.reader.secret)
	return h.t.stranger().do(http.MethodPost, tokenPath, url.Values{"grant_type": {"client_credentials"}}, "Authorization", "Basic "+b64std(credential), "DPoP", proof)
}

// shows asks for something with a bound token and a proof.
func (h *holder) shows(token, proof string) answer {
	return h.t.stranger().get(feedPath, "Authorization", "DPoP "+token, "DPoP", proof)
}

const (
	tokenPath = "/oauth/token"
	feedPath  = "/revocations"
)

// bound gets a token that is bound to the holder's key.
func (h *holder) bound() string {
	a := h.trades(h.proof(proofHeader, http.MethodPost, tokenPath, "", nil))
	if h.nonce = a.header.Get("DPoP-Nonce"); a.check == "dpop.nonce" {
		a = h.trades(h.proof(proofHeader, http.MethodPost, tokenPath, "", nil))
	}
	var out struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
	}
	h.t.gives("with a proof", a, http.StatusOK)
	if json.Unmarshal([]byte(a.body), &out) != nil || out.Type != "DPoP" {
		h.t.breaks("with a proof, the token is not bound to its key but of the type %q", out.Type)
	}
	return out.Access
}

// What a proof can be wrong in, and the checks of which one is to notice.
var (
	badHeaders = map[string]string{"no algorithm": `{"typ":"dpop+jwt","alg":"none","jwk":JWK}`, "a shared secret's algorithm": `{"typ":"dpop+jwt","alg":"HS256","jwk":JWK}`,
		"no key": `{"typ":"dpop+jwt","alg":"ES256"}`, "the type of an access token": `{"typ":"at+jwt","alg":"ES256","jwk":JWK}`, "something critical": `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK,"crit":["x"]}`}
	badClaims = map[string]map[string]any{"another method": {"htm": "PUT"}, "another address": {"htu": "https://doorward-drill.invalid/"}, "an instant long ago": {"iat": 1}, "no id": {"jti": ""}}
	badProofs = []string{"dpop.form", "dpop.key", "dpop.signature", "dpop.method", "dpop.address", "dpop.in_time", "dpop.token", "dpop.unspent", "token.sender"}
)

var proofAttacks = []Attack{
	{ID: "proof-forged", Group: Tokens, Tries: "A proof of a key that is not signed by it, or not for this request, gets no token.", Of: []string{"JWT-01", "JWT-02", "JWT-16"}, Expects: badProofs,
		run: func(t *try) {
			h, other := t.holder(), t.holder()
			h.bound()
			for what, header := range badHeaders {
				t.refused("a proof with "+what, h.trades(h.proof(header, http.MethodPost, tokenPath, "", nil)), http.StatusBadRequest)
			}
			for what, claims := range badClaims {
				t.refused("a proof with "+what, h.trades(h.proof(proofHeader, http.MethodPost, tokenPath, "", claims)), http.StatusBadRequest)
			}
			other.jwk = h.jwk
			t.refused("a proof signed by another key", h.trades(other.proof(proofHeader, http.MethodPost, tokenPath, "", nil)), http.StatusBadRequest)
			good := h.proof(proofHeader, http.MethodPost, tokenPath, "", nil)
			t.gives("with a good proof", h.trades(good), http.StatusOK)
			t.refused("a proof that was used", h.trades(good), http.StatusBadRequest)
		}},
	{ID: "bound-token-theft", Group: Tokens, Tries: "A token that is bound to a key is worth nothing to whoever has it without the key.", Of: []string{"JWT-01", "JWT-16"}, Expects: badProofs,
		run: func(t *try) {
			h, thief := t.holder(), t.holder()
			token := h.bound()
			thief.nonce = h.nonce
			proof := func(by *holder, claims map[string]any) string {
				return by.proof(proofHeader, http.MethodGet, feedPath, token, claims)
			}
			t.refused("a bound token as Bearer", t.bearer(http.MethodGet, feedPath, token), http.StatusUnauthorized)
			t.refused("a bound token without a proof", t.stranger().get(feedPath, "Authorization", "DPoP "+token), http.StatusUnauthorized)
			t.refused("a bound token with a thief's proof", h.shows(token, proof(thief, nil)), http.StatusUnauthorized)
			t.refused("a bound token with a proof for another", h.shows(token, proof(h, map[string]any{"ath": b64(make([]byte, sha256.Size))})), http.StatusUnauthorized)
			for what, claims := range badClaims {
				t.refused("a bound token and a proof with "+what, h.shows(token, proof(h, claims)), http.StatusUnauthorized)
			}
			good := proof(h, nil)
			t.gives("with its own key", h.shows(token, good), http.StatusOK)
			t.refused("a bound token and a proof that was used", h.shows(token, good), http.StatusUnauthorized)
		}},
}
