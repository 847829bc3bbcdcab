package token_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/token"
)

// The examples of RFC 9449 sections 4.1, 7.1 and 6.1.
const (
	rfcProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj" +
		"oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg" +
		"4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfcAccess     = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	rfcATH        = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
	rfcThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	rfcAtResource = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj" +
		"oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF" +
		"c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)

var (
	prove    = check.Declare(60101, "test.prove", token.ProofChecks...)
	nonceRig = &key.Ring{Opaque: []key.OpaqueKey{{Secret: []byte("an older key of opaque tokens...")}, {Secret: []byte("the key of opaque tokens of now.")}}}
	proofNow = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
)

// shown judges a proof and gives the check that it failed, or nil.
func shown(t *testing.T, s token.Shown, now time.Time, strict ...bool) (token.Proof, *check.Check) {
	t.Helper()
	trail := prove.Begin()
	p, ok := s.Hold(trail, nonceRig, len(strict) > 0, now)
	_, err := trail.Close()
	var refusal *check.Refusal
	if errors.As(err, &refusal) {
		if ok || p.Exists() {
			t.Errorf("refused by %s, and yet there is a proof", refusal.Check().ID)
		}
		return p, refusal.Check()
	}
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	return p, nil
}

func TestProofsOfRFC9449(t *testing.T) {
	p, flaw := shown(t, token.Shown{Proof: rfcProof, Method: "POST", Address: "https://server.example.com/token"}, time.Unix(1562262616, 0))
	if flaw != nil || p.JKT != rfcThumbprint || p.ID != "-BwC3ESc6acc2lTc" {
		t.Errorf("section 4.1: %+v, %v", p, flaw)
	}
	if got := token.HashAccess(rfcAccess); got != rfcATH {
		t.Errorf("ath = %s, want %s", got, rfcATH)
	}
	s := token.Shown{Proof: rfcAtResource, Method: "GET", Address: "https://resource.example.org/protectedresource", Access: rfcAccess}
	if p, flaw := shown(t, s, time.Unix(1562262618, 0)); flaw != nil || p.JKT != rfcThumbprint {
		t.Errorf("section 7.1: %+v, %v", p, flaw)
	}
	s.Access += "x"
	if _, flaw := shown(t, s, time.Unix(1562262618, 0)); flaw != token.ProofToken {
		t.Errorf("beside another token: %v", flaw)
	}
}

// forge signs any header over any claims; jwk is put in where the header says so.
func forge(t testing.TB, k *jose.SigningKey, header, claims string) string {
	t.Helper()
	jwk, err := json.Marshal(k.Key().JWK())
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, k, strings.ReplaceAll(header, "JWK", string(jwk)), claims)
}

// signed signs a header and claims as they are.
func signed(t testing.TB, k *jose.SigningKey, header, claims string) string {
	t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(t, k, input))
}

const goodHeader = `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK}`

// claimsOf are the claims of a proof for the token endpoint, with what is said
// otherwise.
func claimsOf(over map[string]any) string {
	all := map[string]any{"jti": "j1", "htm": "POST", "htu": "https://auth.example.com/oauth/token", "iat": proofNow.Unix()}
	for name, v := range over {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	b, err := json.Marshal(all, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return string(b)
}

type over = map[string]any

// AS-32: each thing that a proof can be wrong in has its check.
func TestWhatAProofMustBe(t *testing.T) {
	k := generate(t, jose.ES256)
	other := generate(t, jose.ES256)
	der, err := k.MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	good := forge(t, k, goodHeader, claimsOf(nil))
	now := proofNow.Unix()
	stale := token.NewNonce(nonceRig, proofNow.Add(-6*time.Minute))
	foreign := token.NewNonce(&key.Ring{Opaque: []key.OpaqueKey{{Secret: []byte("a key of somebody else's server.")}}}, proofNow)
	for name, c := range map[string]struct {
		proof string
		want  *check.Check
	}{
		"good":                           {good, nil},
		"with a kid, which says nothing": {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK,"kid":"x"}`, claimsOf(nil)), nil},
		"with members nobody knows":      {forge(t, k, goodHeader, claimsOf(over{"foo": []int{1}})), nil},
		"nothing":                        {"", token.ProofForm},
		"no JWT":                         {"proof", token.ProofForm},
		"two of them":                    {good + ", " + good, token.ProofForm},
		"4 KiB and more":                 {forge(t, k, goodHeader, claimsOf(over{"pad": strings.Repeat("x", 4<<10)})), token.ProofForm},
		"dots":                           {strings.Repeat(".", 8<<10), token.ProofForm},                              // JWT-10
		"without typ":                    {forge(t, k, `{"alg":"ES256","jwk":JWK}`, claimsOf(nil)), token.ProofForm}, // JWT-16
		"typ of an access token":         {forge(t, k, `{"typ":"at+jwt","alg":"ES256","jwk":JWK}`, claimsOf(nil)), token.ProofForm},
		"typ in large letters":           {forge(t, k, `{"typ":"DPoP+jwt","alg":"ES256","jwk":JWK}`, claimsOf(nil)), token.ProofForm},
		"crit":                           {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK,"crit":["exp"]}`, claimsOf(nil)), token.ProofForm},
		"b64":                            {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK,"b64":false}`, claimsOf(nil)), token.ProofForm},
		"two jwk":                        {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK,"jwk":JWK}`, claimsOf(nil)), token.ProofForm},
		"alg none":                       {forge(t, k, `{"typ":"dpop+jwt","alg":"none","jwk":JWK}`, claimsOf(nil)), token.ProofKey}, // JWT-01
		"alg nOnE":                       {forge(t, k, `{"typ":"dpop+jwt","alg":"nOnE","jwk":JWK}`, claimsOf(nil)), token.ProofKey},
		"no alg":                         {forge(t, k, `{"typ":"dpop+jwt","jwk":JWK}`, claimsOf(nil)), token.ProofKey},
		"HS256 with the key as secret":   {forge(t, k, `{"typ":"dpop+jwt","alg":"HS256","jwk":JWK}`, claimsOf(nil)), token.ProofKey}, // JWT-02
		"ES384":                          {forge(t, k, `{"typ":"dpop+jwt","alg":"ES384","jwk":JWK}`, claimsOf(nil)), token.ProofKey},
		"no key":                         {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256"}`, claimsOf(nil)), token.ProofKey},
		"no key but a kid":               {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","kid":"`+k.KID()+`"}`, claimsOf(nil)), token.ProofKey},
		"an address of a key":            {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK,"jku":"https://evil.example/"}`, claimsOf(nil)), token.ProofKey}, // JWT-04
		"a certificate":                  {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":JWK,"x5c":["MII"]}`, claimsOf(nil)), token.ProofKey},
		"a key that is text":             {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":"key"}`, claimsOf(nil)), token.ProofKey},
		"a key that is null":             {forge(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":null}`, claimsOf(nil)), token.ProofKey},
		"a private key":                  {signed(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":`+private(t, k)+`}`, claimsOf(nil)), token.ProofKey},
		"a shared secret":                {signed(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"oct","k":"`+base64.RawURLEncoding.EncodeToString(der)+`"}}`, claimsOf(nil)), token.ProofKey},
		"a key of another kind":          {signed(t, k, `{"typ":"dpop+jwt","alg":"EdDSA","jwk":`+public(t, k)+`}`, claimsOf(nil)), token.ProofKey},
		"a key for encryption":           {signed(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":`+strings.Replace(public(t, k), `"use":"sig"`, `"use":"enc"`, 1)+`}`, claimsOf(nil)), token.ProofKey},
		"a point off its curve":          {signed(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"`+strings.Repeat("A", 43)+`","y":"`+strings.Repeat("A", 43)+`"}}`, claimsOf(nil)), token.ProofKey},
		"another's key":                  {signed(t, k, `{"typ":"dpop+jwt","alg":"ES256","jwk":`+public(t, other)+`}`, claimsOf(nil)), token.ProofSigned},
		"claims that were changed":       {spliced(good, forge(t, k, goodHeader, claimsOf(over{"jti": "j2"}))), token.ProofSigned},
		"no jti":                         {forge(t, k, goodHeader, claimsOf(over{"jti": nil})), token.ProofForm},
		"an empty jti":                   {forge(t, k, goodHeader, claimsOf(over{"jti": ""})), token.ProofForm},
		"a jti of 257 bytes":             {forge(t, k, goodHeader, claimsOf(over{"jti": strings.Repeat("j", 257)})), token.ProofForm},
		"a jti that is a number":         {forge(t, k, goodHeader, claimsOf(over{"jti": 7})), token.ProofForm},
		"no htm":                         {forge(t, k, goodHeader, claimsOf(over{"htm": nil})), token.ProofForm},
		"no htu":                         {forge(t, k, goodHeader, claimsOf(over{"htu": nil})), token.ProofForm},
		"no iat":                         {forge(t, k, goodHeader, claimsOf(over{"iat": nil})), token.ProofForm},
		"iat as text":                    {forge(t, k, goodHeader, claimsOf(over{"iat": fmt.Sprint(now)})), token.ProofForm}, // JWT-20
		"iat as a fraction":              {forge(t, k, goodHeader, strings.Replace(claimsOf(nil), fmt.Sprint(now), fmt.Sprint(now)+".5", 1)), token.ProofForm},
		"iat with an exponent":           {forge(t, k, goodHeader, strings.Replace(claimsOf(nil), fmt.Sprint(now), "1e308", 1)), token.ProofForm},
		"a negative iat":                 {forge(t, k, goodHeader, claimsOf(over{"iat": -1})), token.ProofForm},
		"claims that are a list":         {forge(t, k, goodHeader, `[]`), token.ProofForm},
		"two iat":                        {forge(t, k, goodHeader, strings.Replace(claimsOf(nil), `"iat"`, `"iat":1,"iat"`, 1)), token.ProofForm},
		"another method":                 {forge(t, k, goodHeader, claimsOf(over{"htm": "GET"})), token.ProofMethod},
		"the method in small letters":    {forge(t, k, goodHeader, claimsOf(over{"htm": "post"})), token.ProofMethod},
		"another path":                   {forge(t, k, goodHeader, claimsOf(over{"htu": "https://auth.example.com/oauth/userinfo"})), token.ProofAddress},
		"another host":                   {forge(t, k, goodHeader, claimsOf(over{"htu": "https://evil.example/oauth/token"})), token.ProofAddress},
		"a minute old":                   {forge(t, k, goodHeader, claimsOf(over{"iat": now - 60})), nil},
		"older":                          {forge(t, k, goodHeader, claimsOf(over{"iat": now - 61})), token.ProofInTime},
		"ten seconds ahead":              {forge(t, k, goodHeader, claimsOf(over{"iat": now + 10})), nil},
		"further ahead":                  {forge(t, k, goodHeader, claimsOf(over{"iat": now + 11})), token.ProofInTime},
		"our nonce":                      {forge(t, k, goodHeader, claimsOf(over{"nonce": token.NewNonce(nonceRig, proofNow)})), nil},
		"an old nonce":                   {forge(t, k, goodHeader, claimsOf(over{"nonce": stale})), token.ProofNonce},
		"a nonce of somebody else":       {forge(t, k, goodHeader, claimsOf(over{"nonce": foreign})), token.ProofNonce},
		"a nonce of no form":             {forge(t, k, goodHeader, claimsOf(over{"nonce": "n"})), token.ProofNonce},
	} {
		_, flaw := shown(t, token.Shown{Proof: c.proof, Method: "POST", Address: "https://auth.example.com/oauth/token"}, proofNow)
		if flaw != c.want {
			t.Errorf("%s: %s, want %s", name, idOf(flaw), idOf(c.want))
		}
	}
	strict := token.Shown{Proof: good, Method: "POST", Address: "https://auth.example.com/oauth/token"}
	if _, flaw := shown(t, strict, proofNow, true); flaw != token.ProofNonce {
		t.Errorf("no nonce where one is demanded: %s", idOf(flaw))
	}
	strict.Proof = forge(t, k, goodHeader, claimsOf(over{"nonce": token.NewNonce(nonceRig, proofNow)}))
	if _, flaw := shown(t, strict, proofNow, true); flaw != nil {
		t.Errorf("the nonce that is demanded: %s", idOf(flaw))
	}
	at := token.Shown{Proof: good, Method: "POST", Address: "https://auth.example.com/oauth/token", Access: "tok"}
	if _, flaw := shown(t, at, proofNow); flaw != token.ProofToken {
		t.Errorf("no ath beside a token: %s", idOf(flaw))
	}
}

func TestProofsOfEveryAlgorithm(t *testing.T) {
	for _, alg := range []jose.Alg{jose.ES256, jose.EdDSA, jose.PS256, jose.RS256} {
		k := generate(t, alg)
		names := []string{string(alg)}
		if alg == jose.EdDSA {
			names = append(names, "Ed25519") // RFC 9864: what oauth4webapi writes
		}
		for _, name := range names {
			jwk := strings.Replace(public(t, k), `"alg":"`+string(alg)+`",`, "", 1)
			proof := signed(t, k, `{"typ":"dpop+jwt","alg":"`+name+`","jwk":`+jwk+`}`, claimsOf(nil))
			p, flaw := shown(t, token.Shown{Proof: proof, Method: "POST", Address: "https://auth.example.com/oauth/token"}, proofNow)
			if flaw != nil || p.JKT != k.Key().Thumbprint() {
				t.Errorf("%s: %s", name, idOf(flaw))
			}
		}
	}
	// RS512 is for our own tokens alone.
	k := generate(t, jose.RS512)
	if _, flaw := token.ReadProof(forge(t, k, `{"typ":"dpop+jwt","alg":"RS512","jwk":JWK}`, claimsOf(nil))); flaw != token.ProofKey {
		t.Errorf("RS512: %s", idOf(flaw))
	}
}

// RFC 9449 section 4.3, RFC 3986 section 6.2.
func TestAddressesOfProofs(t *testing.T) {
	k := generate(t, jose.ES256)
	for htu, want := range map[string]bool{
		"https://auth.example.com/oauth/token":          true,
		"https://auth.example.com/oauth/token?a=b":      true,
		"https://auth.example.com/oauth/token#f":        true,
		"https://auth.example.com:443/oauth/token":      true,
		"HTTPS://Auth.Example.com/oauth/token":          true,
		"https://auth.example.com/o%61uth/token":        true,
		"https://auth.example.com/oauth%2ftoken":        false,
		"https://auth.example.com/oauth/token/":         false,
		"https://auth.example.com//oauth/token":         false,
		"https://auth.example.com/oauth/../oauth/token": false,
		"https://auth.example.com/OAUTH/token":          false,
		"https://auth.example.com:8443/oauth/token":     false,
		"http://auth.example.com/oauth/token":           false,
		"https://a@auth.example.com/oauth/token":        false,
		"https://auth.example.com.evil/oauth/token":     false,
		"/oauth/token":                                           false,
		"//auth.example.com/oauth/token":                         false,
		"auth.example.com/oauth/token":                           false,
		"https:auth.example.com/oauth/token":                     false,
		"javascript:alert(1)":                                    false,
		"https://auth.example.com/oauth/token%":                  false,
		"https://auth.example.com/" + strings.Repeat("a", 2<<10): false,
	} {
		proof := forge(t, k, goodHeader, claimsOf(over{"htu": htu}))
		if _, flaw := shown(t, token.Shown{Proof: proof, Method: "POST", Address: "https://auth.example.com/oauth/token"}, proofNow); (flaw == nil) != want {
			t.Errorf("%.60s: %s", htu, idOf(flaw))
		}
	}
	for at, htu := range map[string]string{"http://localhost:8400/": "http://localhost:8400", "http://[::1]:8400/a": "http://[0:0:0:0:0:0:0:1]:8400/a", "https://h/caf%C3%A9": "https://h/caf%c3%a9"} {
		proof := forge(t, k, goodHeader, claimsOf(over{"htu": htu}))
		if _, flaw := shown(t, token.Shown{Proof: proof, Method: "POST", Address: at}, proofNow); flaw != nil {
			t.Errorf("%s at %s: %s", htu, at, idOf(flaw))
		}
	}
}

// A nonce is good for some minutes, on every node, under every key that stands.
func TestNonces(t *testing.T) {
	k := generate(t, jose.ES256)
	before := &key.Ring{Opaque: nonceRig.Opaque[:1]}
	for name, c := range map[string]struct {
		ring *key.Ring
		made time.Duration
		want bool
	}{
		"now":                      {nonceRig, 0, true},
		"four minutes ago":         {nonceRig, -4 * time.Minute, true},
		"five":                     {nonceRig, -5 * time.Minute, false},
		"by a node a minute ahead": {nonceRig, time.Minute, true},
		"two":                      {nonceRig, 2 * time.Minute, false},
		"before the key's turn":    {before, -time.Minute, true},
	} {
		nonce := token.NewNonce(c.ring, proofNow.Add(c.made))
		proof := forge(t, k, goodHeader, claimsOf(over{"nonce": nonce}))
		if _, flaw := shown(t, token.Shown{Proof: proof, Method: "POST", Address: "https://auth.example.com/oauth/token"}, proofNow, true); (flaw == nil) != c.want {
			t.Errorf("%s: %s", name, idOf(flaw))
		}
		if strings.Trim(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%q is no NQCHAR", nonce)
		}
	}
}

func TestAProofIsSeenOnce(t *testing.T) {
	k := generate(t, jose.ES256)
	read := func(k *jose.SigningKey, jti string) token.Proof {
		p, flaw := token.ReadProof(forge(t, k, goodHeader, claimsOf(over{"jti": jti})))
		if flaw != nil {
			t.Fatal(flaw.ID)
		}
		return p
	}
	var seen token.Seen
	p := read(k, "a")
	if !seen.First(p, proofNow) || seen.First(p, proofNow) {
		t.Error("a proof is new twice, or never")
	}
	if !seen.First(read(k, "b"), proofNow) || !seen.First(read(generate(t, jose.ES256), "a"), proofNow) {
		t.Error("another jti, or another key's, is taken for the same")
	}
	// It is remembered for as long as it could be good.
	for at := time.Duration(0); at <= token.ProofPast+token.ProofAhead; at += time.Second {
		if seen.First(p, proofNow.Add(at)) {
			t.Fatalf("forgotten after %v", at)
		}
	}
	if seen.First(read(k, "c"), proofNow.Add(119*time.Second)); seen.First(read(k, "c"), proofNow.Add(125*time.Second)) {
		t.Error("forgotten when a generation turned")
	}

	// Of many at once one is the first.
	var many token.Seen
	won := make(chan bool, 40)
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() { won <- many.First(p, proofNow) })
	}
	group.Wait()
	close(won)
	n := 0
	for first := range won {
		if first {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of 40 were the first", n)
	}
}

func TestThumbprints(t *testing.T) {
	for s, want := range map[string]bool{rfcThumbprint: true, "": false, rfcThumbprint + "=": false, rfcThumbprint[:42]: false, rfcThumbprint + "A": false, strings.Repeat("!", 43): false, rfcThumbprint[:42] + "J": false} {
		if token.ValidThumbprint(s) != want {
			t.Errorf("%q", s)
		}
	}
}

// FuzzReadProof: whatever a stranger sends as a proof is read without harm,
// and what is read was signed by the key it carries and is within its bounds.
func FuzzReadProof(f *testing.F) {
	k := generate(f, jose.EdDSA)
	f.Add(rfcProof)
	f.Add(rfcAtResource)
	f.Add(forge(f, k, `{"typ":"dpop+jwt","alg":"EdDSA","jwk":JWK}`, claimsOf(nil)))
	f.Add(forge(f, k, `{"typ":"dpop+jwt","alg":"Ed25519","jwk":JWK}`, claimsOf(over{"htu": "https://[::1]:443/%2e%2E?%"})))
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		p, flaw := token.ReadProof(text)
		if p.Exists() == (flaw != nil) {
			t.Fatalf("a proof %+v and a flaw %v", p, flaw)
		}
		if flaw == nil && (!token.ValidThumbprint(p.JKT) || p.ID == "" || len(p.ID) > 256 || len(text) > 4<<10) {
			t.Errorf("%+v was read", p)
		}
		trail := prove.Begin()
		token.Shown{Proof: text, Method: "POST", Address: "https://auth.example.com/oauth/token"}.Hold(trail, nonceRig, false, proofNow)
	})
}
