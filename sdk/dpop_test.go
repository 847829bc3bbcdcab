package doorward

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A holder is a client with a key of its own.
type holder struct {
	signer
	jwk, thumb string
}

func newHolder(alg jose.SignatureAlgorithm) holder {
	s := signer{alg: alg, key: keyOf[alg]()}
	if alg == jose.ES256 {
		s.key = freshES256()
	}
	k := jose.JSONWebKey{Key: s.key.(crypto.Signer).Public()}
	jwk, _ := k.MarshalJSON()
	thumb, _ := k.Thumbprint(crypto.SHA256)
	return holder{s, string(jwk), base64.RawURLEncoding.EncodeToString(thumb)}
}

var proofs atomic.Int64

// proof signs a proof for GET /notes/n1 of api.example.com with a token, with
// changes to its header and claims. A nil value takes one away.
func (h holder) proof(now time.Time, token string, header, claims map[string]any) string {
	sum := sha256.Sum256([]byte(token))
	head := map[string]any{"typ": "dpop+jwt", "alg": string(h.alg), "jwk": json.RawMessage(h.jwk)}
	body := map[string]any{"jti": fmt.Sprint("proof-", proofs.Add(1)), "htm": "GET", "htu": "https://api.example.com/notes/n1", "iat": now.Unix(),
		"ath": base64.RawURLEncoding.EncodeToString(sum[:])}
	for m, change := range map[*map[string]any]map[string]any{&head: header, &body: claims} {
		maps.Copy(*m, change)
		maps.DeleteFunc(*m, func(_ string, v any) bool { return v == nil })
	}
	payload, _ := json.Marshal(body)
	return h.sign(head, payload)
}

// bound is a token of the issuer that is bound to the holder's key.
func (i *issuer) bound(s signer, h holder) string {
	return s.mint(i.claims(map[string]any{"cnf": map[string]any{"jkt": h.thumb}}))
}

func dpopRequest(token, proof string) *http.Request {
	r := httptest.NewRequest("GET", "https://api.example.com/notes/n1", nil)
	r.Header.Set("Authorization", "DPoP "+token)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return r
}

func TestBoundTokens(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	v := i.verifier(t)
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256} {
		h := newHolder(alg)
		token := i.bound(s, h)
		if res, p, ran := guarded(t, v, dpopRequest(token, h.proof(i.clock.now(), token, nil, nil))); !ran {
			t.Errorf("%s: %d %+v", alg, res.StatusCode, p)
		}
		who, err := v.VerifyRequest(dpopRequest(token, h.proof(i.clock.now(), token, nil, nil)))
		if err != nil || who.Subject != "usr_ana" {
			t.Errorf("%s: %v, %v", alg, who, err)
		}
	}
	// RFC 9864: what some clients call EdDSA.
	h := newHolder(jose.EdDSA)
	token := i.bound(s, h)
	if _, p, ran := guarded(t, v, dpopRequest(token, h.proof(i.clock.now(), token, map[string]any{"alg": "Ed25519"}, nil))); !ran {
		t.Errorf("Ed25519: %+v", p)
	}
}

// A token that is bound to a key is of no use without it.
func TestABoundTokenAlone(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	v := i.verifier(t)
	h, thief := newHolder(jose.ES256), newHolder(jose.ES256)
	token, free := i.bound(s, h), s.mint(i.claims(nil))
	proof := func(of holder, tok string) string { return of.proof(i.clock.now(), tok, nil, nil) }
	bearer := dpopRequest(token, proof(h, token))
	bearer.Header.Set("Authorization", "Bearer "+token)
	two := dpopRequest(token, proof(h, token))
	two.Header.Add("DPoP", proof(h, token))
	for name, c := range map[string]struct {
		r     *http.Request
		check string
		code  string
	}{
		"as Bearer":                       {bearer, checkSender, "invalid_token"},
		"without a proof":                 {dpopRequest(token, ""), checkProofForm, "invalid_dpop_proof"},
		"with another's proof":            {dpopRequest(token, proof(thief, token)), checkSender, "invalid_token"},
		"with the proof of another token": {dpopRequest(token, proof(h, free)), checkProofToken, "invalid_dpop_proof"},
		"with two proofs":                 {two, checkProofForm, "invalid_dpop_proof"},
		"a free token with DPoP":          {dpopRequest(free, proof(h, free)), checkSender, "invalid_token"},
		"bound to what is unknown":        {request(s.mint(i.claims(map[string]any{"cnf": map[string]any{"kid": "x"}}))), checkSender, "invalid_token"},
		"bound to nothing":                {request(s.mint(i.claims(map[string]any{"cnf": map[string]any{}}))), checkSender, "invalid_token"},
	} {
		res, p, ran := guarded(t, v, c.r)
		if ran || res.StatusCode != 401 || p.Check != c.check || !strings.Contains(res.Header.Get("WWW-Authenticate"), `error="`+c.code+`"`) {
			t.Errorf("%s: ran %v, %d %+v, %s", name, ran, res.StatusCode, p, res.Header.Get("WWW-Authenticate"))
		}
		if dpop := strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "DPoP "); dpop != (strings.HasPrefix(c.r.Header.Get("Authorization"), "DPoP") || name == "as Bearer") {
			t.Errorf("%s: challenged with %s", name, res.Header.Get("WWW-Authenticate"))
		}
	}
	if r := wantRefused(t, v, token, checkSender); r.Status != 401 {
		t.Errorf("Verify: %d", r.Status)
	}
	// What is wrong with the token comes first: its holder is nobody yet.
	old := s.mint(i.claims(map[string]any{"cnf": map[string]any{"jkt": h.thumb}, "exp": i.clock.now().Unix() - 60}))
	if _, p, _ := guarded(t, v, dpopRequest(old, "")); p.Check != checkTime {
		t.Errorf("an expired one: %s", p.Check)
	}
}

// AS-32 at an API: each thing that a proof can be wrong in has its check.
func TestProofs(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	v := i.verifier(t)
	h, other := newHolder(jose.ES256), newHolder(jose.ES256)
	token := i.bound(s, h)
	now := i.clock.now().Unix()
	d, _ := h.key.(*ecdsa.PrivateKey).Bytes()
	private := strings.Replace(h.jwk, "{", `{"d":"`+base64.RawURLEncoding.EncodeToString(d)+`",`, 1)
	type m = map[string]any
	for name, c := range map[string]struct {
		header, claims m
		check          string
	}{
		"typ":                  {m{"typ": "JWT"}, nil, checkProofForm},
		"no typ":               {m{"typ": nil}, nil, checkProofForm},
		"an access token's":    {m{"typ": "at+jwt"}, nil, checkProofForm},
		"crit":                 {m{"crit": []string{"exp"}}, nil, checkProofForm},
		"none":                 {m{"alg": "none"}, nil, checkProofKey},  // JWT-01
		"HS256":                {m{"alg": "HS256"}, nil, checkProofKey}, // JWT-02
		"RS512":                {m{"alg": "RS512"}, nil, checkProofKey},
		"no key":               {m{"jwk": nil}, nil, checkProofKey},
		"a kid":                {m{"jwk": nil, "kid": h.thumb}, nil, checkProofKey},
		"jku":                  {m{"jku": "https://evil.example"}, nil, checkProofKey}, // JWT-04
		"x5c":                  {m{"x5c": []string{"MII"}}, nil, checkProofKey},
		"a private key":        {m{"jwk": json.RawMessage(private)}, nil, checkProofKey},
		"a private member":     {m{"jwk": json.RawMessage(strings.Replace(h.jwk, "{", `{"d":null,`, 1))}, nil, checkProofKey},
		"a secret":             {m{"jwk": m{"kty": "oct", "k": "AAAA"}}, nil, checkProofKey},
		"for encryption":       {m{"jwk": json.RawMessage(strings.Replace(h.jwk, "{", `{"use":"enc",`, 1))}, nil, checkProofKey},
		"for another alg":      {m{"jwk": json.RawMessage(strings.Replace(h.jwk, "{", `{"alg":"ES384",`, 1))}, nil, checkProofKey},
		"another's key":        {m{"jwk": json.RawMessage(other.jwk)}, nil, checkProofSigned},
		"no jti":               {nil, m{"jti": nil}, checkProofForm},
		"a long jti":           {nil, m{"jti": strings.Repeat("j", 257)}, checkProofForm},
		"no htm":               {nil, m{"htm": nil}, checkProofForm},
		"no htu":               {nil, m{"htu": nil}, checkProofForm},
		"no iat":               {nil, m{"iat": nil}, checkProofForm},
		"iat as text":          {nil, m{"iat": fmt.Sprint(now)}, checkProofForm}, // JWT-20
		"iat as a fraction":    {nil, m{"iat": json.RawMessage("1.5")}, checkProofForm},
		"too long":             {nil, m{"pad": strings.Repeat("x", 4<<10)}, checkProofForm},
		"another method":       {nil, m{"htm": "DELETE"}, checkProofMethod},
		"another path":         {nil, m{"htu": "https://api.example.com/notes/n2"}, checkProofAddress},
		"another host":         {nil, m{"htu": "https://evil.example/notes/n1"}, checkProofAddress},
		"another scheme":       {nil, m{"htu": "http://api.example.com/notes/n1"}, checkProofAddress},
		"an old one":           {nil, m{"iat": now - 61}, checkProofTime},
		"one from the future":  {nil, m{"iat": now + 11}, checkProofTime},
		"no ath":               {nil, m{"ath": nil}, checkProofToken},
		"a query":              {nil, m{"htu": "https://api.example.com:443/notes/%6e1?q#f"}, ""},
		"a minute old":         {nil, m{"iat": now - 60}, ""},
		"ten seconds ahead":    {nil, m{"iat": now + 10}, ""},
		"a nonce nobody asked": {nil, m{"nonce": "of the server's"}, ""},
	} {
		_, p, ran := guarded(t, v, dpopRequest(token, h.proof(i.clock.now(), token, c.header, c.claims)))
		if p.Check != c.check || ran != (c.check == "") {
			t.Errorf("%s: refused by %q, want %q", name, p.Check, c.check)
		}
	}
	for _, junk := range []string{"x", "a.b.c", strings.Repeat(".", 5000), "é.é.é"} {
		if _, p, _ := guarded(t, v, dpopRequest(token, junk)); p.Check != checkProofForm {
			t.Errorf("%.20q: %s", junk, p.Check)
		}
	}
}

func TestAProofIsUsedOnce(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	v := i.verifier(t)
	h := newHolder(jose.ES256)
	token := i.bound(s, h)
	proof := h.proof(i.clock.now(), token, nil, nil)
	var won atomic.Int32
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := v.VerifyRequest(dpopRequest(token, proof)); err == nil {
				won.Add(1)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 passed with one proof", won.Load())
	}
	for range 7 {
		if _, p, ran := guarded(t, v, dpopRequest(token, proof)); ran || p.Check != checkProofUnspent && p.Check != checkProofTime {
			t.Errorf("at %v: %s", i.clock.now(), p.Check)
		}
		i.clock.advance(10 * time.Second)
	}
	// Looking at a request uses nothing up.
	proof = h.proof(i.clock.now(), token, nil, nil)
	r := dpopRequest(token, proof)
	if got := outline(v.Explain(r)); !strings.HasSuffix(got, "token.revoked token.certificate dpop.form dpop.key dpop.signature dpop.method dpop.address dpop.in_time dpop.nonce dpop.token token.sender dpop.unspent") {
		t.Errorf("explained: %s", got)
	}
	if _, p, ran := guarded(t, v, r); !ran {
		t.Errorf("after it was explained: %+v", p)
	}
	if got := outline(v.Explain(dpopRequest(token, newHolder(jose.ES256).proof(i.clock.now(), token, nil, nil)))); !strings.HasSuffix(got, "dpop.token !token.sender") {
		t.Errorf("another's: %s", got)
	}
}

func TestProofsBehindAProxy(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	h := newHolder(jose.ES256)
	token := i.bound(s, h)
	inside := func(htu string) *http.Request {
		r := httptest.NewRequest("GET", "/notes/n1", nil)
		r.Host = "10.0.0.7:8080"
		r.Header.Set("Authorization", "DPoP "+token)
		r.Header.Set("DPoP", h.proof(i.clock.now(), token, nil, map[string]any{"htu": htu}))
		return r
	}
	behind := i.verifier(t, PublicURL("https://api.example.com/v1"))
	for htu, want := range map[string]string{"https://api.example.com/v1/notes/n1": "", "http://10.0.0.7:8080/notes/n1": checkProofAddress, "https://api.example.com/notes/n1": checkProofAddress} {
		if _, p, _ := guarded(t, behind, inside(htu)); p.Check != want {
			t.Errorf("%s: %q", htu, p.Check)
		}
	}
	plainly := i.verifier(t)
	if _, p, ran := guarded(t, plainly, inside("http://10.0.0.7:8080/notes/n1")); !ran {
		t.Errorf("without a public URL: %+v", p)
	}
	// What a router in front took off the path was asked for all the same.
	r := dpopRequest(token, h.proof(i.clock.now(), token, nil, map[string]any{"htu": "https://api.example.com/v1/notes/n1"}))
	r.RequestURI = "/v1/notes/n1?x=1"
	if _, p, ran := guarded(t, plainly, r); !ran {
		t.Errorf("behind a router: %+v", p)
	}
	for _, bad := range []string{"", "api.example.com", "/v1", "ftp://api.example.com", "https://u@api.example.com", "https://api.example.com?x", "https://"} {
		if _, err := New(t.Context(), i.URL, Audience("a"), Stateless(), PublicURL(bad)); err == nil {
			t.Errorf("%q is a public URL", bad)
		}
	}
}

func TestNonces(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	v, node := i.verifier(t, DPoPNonces(secret)), i.verifier(t, DPoPNonces(secret))
	h := newHolder(jose.ES256)
	token := i.bound(s, h)
	res, p, ran := guarded(t, v, dpopRequest(token, h.proof(i.clock.now(), token, nil, nil)))
	nonce := res.Header.Get("DPoP-Nonce")
	if ran || p.Check != checkProofNonce || nonce == "" || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), `DPoP realm="notes-api", error="use_dpop_nonce"`) {
		t.Fatalf("%+v, %v", p, res.Header)
	}
	with := func(nonce string) *http.Request {
		return dpopRequest(token, h.proof(i.clock.now(), token, nil, map[string]any{"nonce": nonce}))
	}
	if res, p, ran := guarded(t, node, with(nonce)); !ran || res.Header.Get("DPoP-Nonce") == "" {
		t.Errorf("at another node: %+v", p)
	}
	for _, wrong := range []string{"x", nonces("another secret of somebody else.").now(i.clock.now()), nonce[:21] + "-"} {
		if _, p, _ := guarded(t, v, with(wrong)); p.Check != checkProofNonce {
			t.Errorf("%s: %q", wrong, p.Check)
		}
	}
	i.clock.advance(4 * time.Minute)
	token = i.bound(s, h)
	if _, p, ran := guarded(t, v, with(nonce)); !ran {
		t.Errorf("after four minutes: %+v", p)
	}
	i.clock.advance(time.Minute)
	token = i.bound(s, h)
	if res, p, _ := guarded(t, v, with(nonce)); p.Check != checkProofNonce || res.Header.Get("DPoP-Nonce") == nonce {
		t.Errorf("after five: %+v", p)
	}
	if res, _, ran := guarded(t, v, request(s.mint(i.claims(nil)))); !ran || res.Header.Get("DPoP-Nonce") != "" {
		t.Error("a Bearer token is asked for a nonce")
	}
	if _, err := New(t.Context(), i.URL, Audience("a"), Stateless(), DPoPNonces(secret[:31])); err == nil {
		t.Error("a short secret")
	}
}

// RFC 9449 section 7.2: who brings nothing learns of both ways.
func TestBothChallenges(t *testing.T) {
	_, _, v, _ := good(t)
	res, _, _ := guarded(t, v, request(""))
	if got := res.Header.Values("WWW-Authenticate"); len(got) != 2 || got[0] != `Bearer realm="notes-api"` || got[1] != `DPoP realm="notes-api", algs="ES256 EdDSA Ed25519 PS256 RS256"` {
		t.Errorf("%q", got)
	}
}

// A bound opaque token: what the server says of it counts.
func TestABoundOpaqueToken(t *testing.T) {
	i, _, v, _ := good(t)
	h := newHolder(jose.ES256)
	token := opaqueText("bound")
	said := i.claims(map[string]any{"cnf": map[string]any{"jkt": h.thumb}})
	said["active"] = true
	i.mu.Lock()
	i.opaque[token] = said
	i.mu.Unlock()
	if _, p, ran := guarded(t, v, dpopRequest(token, h.proof(i.clock.now(), token, nil, nil))); !ran {
		t.Errorf("%+v", p)
	}
	if _, p, _ := guarded(t, v, request(token)); p.Check != checkSender {
		t.Errorf("as Bearer: %+v", p)
	}
}

// FuzzReadProof: whatever a stranger sends as a proof is read without harm, and
// what is read has all that a proof has.
func FuzzReadProof(f *testing.F) {
	h := newHolder(jose.ES256)
	f.Add(h.proof(start, "t", nil, nil))
	f.Add(newHolder(jose.EdDSA).proof(start, "t", map[string]any{"alg": "Ed25519"}, map[string]any{"htu": "https://[::1]:443/%2e?%"}))
	f.Add("..")
	f.Add("e30.e30.AA")
	v := &Verifier{}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := readProof(text)
		if err == nil && (len(p.thumb) != 43 || p.id == "" || p.issued < 0 || len(text) > maxProof) {
			t.Errorf("%+v was read", p)
		}
		if err != nil && p != (proof{}) {
			t.Errorf("refused, and yet %+v", p)
		}
		_ = v.fits(p, httptest.NewRequest("GET", "/", nil), "t", start)
	})
}
