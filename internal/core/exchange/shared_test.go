package exchange_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

const reports = "https://reports.example.com"

// registered registers applications of a resource each, or of none.
func (n *node) registered(t *testing.T, of map[string][]string) map[string]exchange.ClientProof {
	t.Helper()
	out := map[string]exchange.ClientProof{}
	for id, resources := range of {
		made, err := n.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: client.Client{ID: id, Name: id, Type: "machine", Resources: resources, Scopes: []string{"read"}}}})
		if err != nil {
			t.Fatal(err)
		}
		out[id] = exchange.ClientProof{ID: id, Secret: made[0].Secret}
	}
	return out
}

func (n *node) share(t *testing.T, id string, in manage.Sharing) manage.Shared {
	t.Helper()
	s, err := n.manage.ShareSecret(t.Context(), operator, id, in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// told is what an application learns of a token: its claims, or nothing.
func (n *node) told(t *testing.T, p exchange.ClientProof, text string) (token.Claims, bool) {
	t.Helper()
	in, err := n.Introspect(t.Context(), settle.Caller{}, p, text)
	if err != nil {
		t.Fatal(err)
	}
	return in.Claims, in.Active
}

func headerOf(t *testing.T, text string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text[:strings.IndexByte(text, '.')])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A secret is for one service: its tokens are for that service alone, this
// server takes none of them, and only the service may ask about one.
func TestASharedSecretIsForOneService(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.registered(t, map[string][]string{"app": {reports}, "service": {reports}, "other": {"https://other.example.com"}, "greedy": {issuer, "https://greedy.example.com"}})
		if h := headerOf(t, r.granted(t, p["app"])); !strings.Contains(h, "ES256") {
			t.Errorf("before anything was shared: %s", h)
		}
		for _, alg := range jose.SharedAlgs() {
			s := r.share(t, "app", manage.Sharing{Alg: alg})
			if len(s.Secret) != alg.Size() || s.Alg != alg {
				t.Fatalf("%s: a secret of %d bytes for %s", alg, len(s.Secret), s.Alg)
			}
			if n := r.count(`select count(*) from shared_secrets where kid = $1`, s.KID); n != 1 {
				t.Errorf("%d rows of %s", n, s.KID)
			}
			for _, kept := range r.store.View(t.Context()).Secrets("app") {
				if bytes.Contains(kept.Sealed, s.Secret[:16]) {
					t.Error("a secret is kept as it is")
				}
			}
			text := r.granted(t, p["app"])
			if h := headerOf(t, text); h != fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, s.KID) {
				t.Errorf("%s: the header is %s", alg, h)
			}
			// Who operates the server is told what it is; a changed one is nobody's.
			if e, err := r.Examine(t.Context(), text, ""); err != nil || !e.Passed || e.Client != "app" {
				t.Errorf("%s: examined: %v, %v", alg, e.Failed(), err)
			}
			if e, err := r.Examine(t.Context(), text[:len(text)-4]+"AAAA", ""); err != nil || e.Passed || e.Failed() != token.AccessSigned {
				t.Errorf("%s: examined with another signature: %v, %v", alg, e.Failed(), err)
			}
			by, err := jose.NewShared(s.KID, alg, s.Secret)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := by.Verify(text, token.AccessType)
			if err != nil {
				t.Fatal(err)
			}
			if c, ok := token.ReadClaims(raw, s.KID); !ok || !slices.Equal(c.Audience, []string{reports}) || c.Client != "app" || c.Subject != "app" {
				t.Errorf("%s: the claims are %s", alg, raw)
			}
			// Nothing of ours takes it, whatever the audience.
			for _, audience := range []string{issuer, reports} {
				if _, err := r.Inspect(t.Context(), text, audience); err == nil {
					t.Errorf("%s: taken for %s", alg, audience)
				}
			}
			r.accessRefused(t, text, "token.signature")
			if c, active := r.told(t, p["service"], text); !active || c.JTI == "" || c.Client != "app" {
				t.Errorf("%s: the service is told %+v", alg, c)
			}
			for _, id := range []string{"other", "greedy"} {
				if c, active := r.told(t, p[id], text); active || c.JTI != "" {
					t.Errorf("%s: %s is told %+v", alg, id, c)
				}
			}
		}
	})
}

// JWT-02, and what a service can forge that has the secret: it speaks for its own
// application, to itself, and to nobody else.
func TestWhatASharedSecretCannotSay(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.registered(t, map[string][]string{"app": {reports}, "service": {reports}, "greedy": {issuer, "https://greedy.example.com"}})
		s := r.share(t, "app", manage.Sharing{Alg: jose.HS256})
		by, err := jose.NewShared(s.KID, jose.HS256, s.Secret)
		if err != nil {
			t.Fatal(err)
		}
		now := r.clock.now().Unix()
		forged := func(typ, who, aud string) string {
			text, err := by.Sign(typ, fmt.Appendf(nil, `{"iss":%q,"sub":"app","aud":%s,"exp":%d,"nbf":%d,"iat":%d,"jti":"j","client_id":%q,"rev":9}`, issuer, aud, now+60, now, now, who))
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		if _, active := r.told(t, p["service"], forged("at+jwt", "app", `"`+reports+`"`)); !active {
			t.Fatal("what the server itself could have signed is refused")
		}
		der, err := x509.MarshalPKIXPublicKey(r.keys.Keys.Ring().Signer.Key().Public())
		if err != nil {
			t.Fatal(err)
		}
		confused := func(kid string, secret []byte) string {
			input := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"HS256","kid":%q,"typ":"at+jwt"}`, kid)) + "." +
				base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iss":%q,"sub":"app","aud":%q,"exp":%d,"nbf":%d,"iat":%d,"jti":"j","client_id":"app","rev":9}`, issuer, reports, now+60, now, now))
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(input))
			return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}
		for name, text := range map[string]string{
			"for this server":           forged("at+jwt", "app", `"`+issuer+`"`),
			"for both":                  forged("at+jwt", "app", `["`+reports+`","`+issuer+`"]`),
			"for nobody":                forged("at+jwt", "app", `[]`),
			"of another application":    forged("at+jwt", "service", `"`+reports+`"`),
			"of another type":           forged("JWT", "app", `"`+reports+`"`),
			"JWT-02 our public key":     confused(r.keys.Keys.Ring().Signer.KID(), der),
			"JWT-02 under its id":       confused(s.KID, der),
			"JWT-05 an id of nobody":    confused(client.NewSecretID([16]byte{1}), s.Secret),
			"JWT-05 an id in capitals":  confused(strings.ToUpper(s.KID), s.Secret),
			"JWT-05 an id that is none": confused("hs-' or 1=1 --", s.Secret),
			"no id":                     confused("", s.Secret),
		} {
			for _, id := range []string{"service", "greedy", "app"} {
				if c, active := r.told(t, p[id], text); active || c.JTI != "" {
					t.Errorf("%s: %s is told %+v", name, id, c)
				}
			}
			if _, err := r.Inspect(t.Context(), text, issuer, reports); err == nil {
				t.Errorf("%s: taken here", name)
			}
		}
	})
}

// The life of a shared secret: turned on, replaced with an overlap, replaced at
// once, brought by the operator, turned off.
func TestTheLifeOfASharedSecret(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p := r.registered(t, map[string][]string{"app": {reports}, "service": {reports}})
		active := func(text string) bool { _, ok := r.told(t, p["service"], text); return ok }
		keyEvents := func() (kids []string) {
			for _, e := range r.events() {
				if e.Name.Unit == revocation.Key {
					kids = append(kids, e.Name.ID)
				}
			}
			return kids
		}
		first := r.share(t, "app", manage.Sharing{Alg: jose.HS256})
		one := r.granted(t, p["app"])
		r.clock.add(time.Minute)
		second := r.share(t, "app", manage.Sharing{Alg: jose.HS256})
		two := r.granted(t, p["app"])
		if !strings.Contains(headerOf(t, two), second.KID) || !active(one) || !active(two) || len(keyEvents()) != 0 {
			t.Errorf("after the first turn: %s, %v, %v, %v", headerOf(t, two), active(one), active(two), keyEvents())
		}
		// By now nothing lives that the first signed.
		r.clock.add(10 * time.Minute)
		brought := bytes.Repeat([]byte("0123456789abcdef"), 4)
		third := r.share(t, "app", manage.Sharing{Alg: jose.HS512, Secret: brought})
		if len(third.Secret) != 0 {
			t.Error("a secret that was brought is shown again")
		}
		if kids := keyEvents(); !slices.Equal(kids, []string{first.KID}) || r.count(`select count(*) from shared_secrets`) != 2 {
			t.Errorf("dropped: %v", kids)
		}
		three := r.granted(t, p["app"])
		if by, err := jose.NewShared(third.KID, jose.HS512, brought); err != nil {
			t.Fatal(err)
		} else if _, err := by.Verify(three, token.AccessType); err != nil || !active(three) {
			t.Errorf("by the secret that was brought: %v, %v", err, active(three))
		}
		newer := secret.Random()
		r.kek.newer = newer[:]
		if n, err := r.manage.RotateKEK(t.Context(), operator); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if !active(three) || !active(r.granted(t, p["app"])) {
			t.Error("under another key-encryption key it is gone")
		}
		r.share(t, "app", manage.Sharing{Alg: jose.HS256, Compromised: true})
		four := r.granted(t, p["app"])
		if active(three) || !active(four) || !slices.Contains(keyEvents(), third.KID) || !slices.Contains(keyEvents(), second.KID) {
			t.Errorf("in other hands: %v, %v, %v", active(three), active(four), keyEvents())
		}
		if err := r.manage.UnshareSecret(t.Context(), operator, "app"); err != nil {
			t.Fatal(err)
		}
		five := r.granted(t, p["app"])
		if active(four) || r.algOf(t, five) != jose.ES256 || r.count(`select count(*) from shared_secrets`) != 0 {
			t.Errorf("turned off: %v, %s", active(four), headerOf(t, five))
		}
		if c := r.inspected(t, five); !slices.Equal(c.Audience, []string{issuer, reports}) {
			t.Errorf("turned off, the audience is %v", c.Audience)
		}
		refused(t, r.manage.UnshareSecret(t.Context(), operator, "app"), "client.sharing")

		// An application that goes takes its secret with it.
		r.share(t, "app", manage.Sharing{Alg: jose.HS256})
		if err := r.manage.DeleteClient(t.Context(), operator, "app"); err != nil || r.count(`select count(*) from shared_secrets`) != 0 {
			t.Errorf("of an application that is gone: %v, %d", err, r.count(`select count(*) from shared_secrets`))
		}
	})
}

func TestWhatIsNotShared(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.registered(t, map[string][]string{"app": {reports}, "two": {reports, "https://two.example.com"}, "none": nil, "ours": {issuer}})
		for _, c := range []client.Client{
			{ID: "opaque", Name: "o", Type: "machine", Resources: []string{reports}, TokenFormat: client.Opaque},
			{ID: "first", Name: "f", Type: "web", Resources: []string{reports}, FirstParty: true},
		} {
			if _, err := r.manage.CreateClients(t.Context(), operator, []manage.NewClient{{Client: c}}); err != nil {
				t.Fatal(err)
			}
		}
		good := bytes.Repeat([]byte("0123456789abcdef"), 2)
		for name, x := range map[string]struct {
			id   string
			in   manage.Sharing
			want string
		}{
			"nobody":               {"nobody", manage.Sharing{Alg: jose.HS256}, "client.found"},
			"no id":                {"\x00", manage.Sharing{Alg: jose.HS256}, "client.found"},
			"two services":         {"two", manage.Sharing{Alg: jose.HS256}, "client.shareable"},
			"no service":           {"none", manage.Sharing{Alg: jose.HS256}, "client.shareable"},
			"this server":          {"ours", manage.Sharing{Alg: jose.HS256}, "client.shareable"},
			"opaque tokens":        {"opaque", manage.Sharing{Alg: jose.HS256}, "client.shareable"},
			"a first-party page":   {"first", manage.Sharing{Alg: jose.HS256}, "client.shareable"},
			"the server's own":     {client.BuiltIn, manage.Sharing{Alg: jose.HS256}, "client.shareable"},
			"no algorithm":         {"app", manage.Sharing{}, "client.secret_strong"},
			"none":                 {"app", manage.Sharing{Alg: "none"}, "client.secret_strong"},
			"a public one":         {"app", manage.Sharing{Alg: "ES256"}, "client.secret_strong"},
			"short":                {"app", manage.Sharing{Alg: jose.HS256, Secret: good[:31]}, "client.secret_strong"},
			"short for its hash":   {"app", manage.Sharing{Alg: jose.HS384, Secret: good}, "client.secret_strong"},
			"long":                 {"app", manage.Sharing{Alg: jose.HS256, Secret: bytes.Repeat(good, 5)}, "client.secret_strong"},
			"JWT-21 zeros":         {"app", manage.Sharing{Alg: jose.HS256, Secret: make([]byte, 32)}, "client.secret_strong"},
			"JWT-21 a word":        {"app", manage.Sharing{Alg: jose.HS256, Secret: []byte("secretsecretsecretsecretsecretsecret")}, "client.secret_strong"},
			"JWT-21 a word, twice": {"app", manage.Sharing{Alg: jose.HS256, Secret: []byte("changemechangemechangemechangeme")}, "client.secret_strong"},
		} {
			_, err := r.manage.ShareSecret(t.Context(), operator, x.id, x.in)
			t.Run(name, func(t *testing.T) { refused(t, err, x.want) })
		}
		if n := r.count(`select count(*) from shared_secrets`); n != 0 {
			t.Errorf("%d secrets are kept", n)
		}
	})
}

// Two operators at once: both secrets are kept, one after the other.
func TestTwoSecretsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		other := r.open()
		p := r.registered(t, map[string][]string{"app": {reports}, "service": {reports}})
		r.share(t, "app", manage.Sharing{Alg: jose.HS256})
		eventually(t, "the other node can open secrets", func() bool { return other.keys.Keys.Ring().Sharing != nil })
		var wg sync.WaitGroup
		for _, n := range []*node{r.node, other} {
			wg.Go(func() {
				if _, err := n.manage.ShareSecret(t.Context(), operator, "app", manage.Sharing{Alg: jose.HS256}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := r.count(`select max(number) from shared_secrets`); n != 3 {
			t.Errorf("the last secret has the number %d", n)
		}
		if _, active := other.told(t, p["service"], r.granted(t, p["app"])); !active {
			t.Error("what one node signed, the other does not know")
		}
	})
}
