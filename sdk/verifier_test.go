package doorward

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestNewRefuses(t *testing.T) {
	t.Setenv("DOORWARD_CLIENT_ID", "")
	t.Setenv("DOORWARD_CLIENT_SECRET_FILE", "")
	i := newIssuer(t)
	i.addKey(jose.ES256)
	ours := []Option{Audience("notes-api"), Client(apiClient, apiSecret)}
	for name, c := range map[string]struct {
		issuer string
		opts   []Option
		change func()
		says   string
	}{
		"no audience":         {opts: []Option{Stateless()}, says: "Audience"},
		"no client":           {opts: []Option{Audience("a")}, says: "Stateless"},
		"empty secret":        {opts: []Option{Audience("a"), Client("id", "")}, says: "empty"},
		"wrong secret":        {opts: []Option{Audience("a"), Client(apiClient, "wrong")}, says: "revocations:read"},
		"http":                {issuer: "http://auth.example.com", opts: ours, says: "https"},
		"no address":          {issuer: "auth.example.com", opts: ours, says: "https"},
		"query":               {issuer: i.URL + "?x=1", opts: ours, says: "address"},
		"other issuer":        {opts: ours, change: func() { i.meta["issuer"] = i.URL + "/" }, says: "calls itself"},
		"no issuer":           {opts: ours, change: func() { i.meta["issuer"] = "" }, says: "calls itself"},
		"no keys":             {opts: ours, change: func() { i.meta["jwks_uri"] = "" }, says: "jwks_uri"},
		"keys over http":      {opts: ours, change: func() { i.meta["jwks_uri"] = "http://auth.example.com/jwks" }, says: "https"},
		"secret over http":    {opts: ours, change: func() { i.meta["introspection_endpoint"] = "http://192.0.2.1/" }, says: "https"},
		"no feed":             {opts: ours, change: func() { i.meta["doorward_revocations_endpoint"] = "" }, says: "no revocation feed"},
		"not a Doorward":      {issuer: i.URL + "/elsewhere", opts: ours, says: "404"},
		"a feed that is gone": {opts: ours, change: func() { i.feedStatus.Store(403) }, says: "revocations:read"},
		"a redirect":          {opts: ours, change: func() { i.feedStatus.Store(302) }, says: "302"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { clear(i.meta); i.feedStatus.Store(0) }()
			if c.change != nil {
				c.change()
			}
			if c.issuer == "" {
				c.issuer = i.URL
			}
			v, err := New(t.Context(), c.issuer, c.opts...)
			if err == nil {
				v.Close()
				t.Fatal("a verifier was made")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
}

// A feed that fails for a moment is no reason not to start.
func TestNewWithAFailingFeed(t *testing.T) {
	i := newIssuer(t)
	s := i.addKey(jose.ES256)
	for _, status := range []int32{500, 503, 429} {
		i.feedStatus.Store(status)
		v := i.verifier(t)
		if v.View().Ever {
			t.Error("a view out of nothing")
		}
		wantAccepted(t, v, s.mint(i.claims(nil))) // asked about
	}
}

func TestClientFromTheEnvironment(t *testing.T) {
	i := newIssuer(t)
	i.addKey(jose.ES256)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(apiSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOORWARD_CLIENT_ID", apiClient)
	t.Setenv("DOORWARD_CLIENT_SECRET_FILE", file)
	v, err := New(t.Context(), i.URL, Audience("notes-api"))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if !v.View().Ever || i.refused.Load() != 0 {
		t.Errorf("%+v, %d calls refused", v.View(), i.refused.Load())
	}
	t.Setenv("DOORWARD_CLIENT_SECRET_FILE", file+"x")
	if _, err := New(t.Context(), i.URL, Audience("notes-api")); err == nil {
		t.Error("a missing secret file was ignored")
	}
}

// RFC 8414 section 3.1: the well-known part stands before the issuer's path.
func TestIssuerWithAPath(t *testing.T) {
	i := newIssuer(t)
	i.addKey(jose.ES256)
	replace(i, "/.well-known/oauth-authorization-server/tenant", func(w http.ResponseWriter) {
		reply(w, map[string]any{"issuer": i.URL + "/tenant", "jwks_uri": i.URL + "/oauth/jwks"})
	})
	v, err := New(t.Context(), i.URL+"/tenant", Audience("a"), Stateless())
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
}

// Many requests at once, with revocations, key changes and an absent server.
func TestConcurrentUse(t *testing.T) {
	i, s, v, _ := good(t)
	var tokens []string
	for n := range 50 {
		tokens = append(tokens, s.mint(i.claims(map[string]any{"jti": fmt.Sprint("jti_", n), "sid": fmt.Sprint("ses_", n), "rev": 10 + n%3})))
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := range 200 {
				_, _ = v.Verify(t.Context(), tokens[(n*7+w)%len(tokens)])
			}
		})
	}
	wg.Go(func() {
		for n := range 25 {
			i.revoke("session", fmt.Sprint("ses_", n))
			_ = v.feed.poll(t.Context(), 0)
			_ = v.keys.fetch(t.Context())
			v.View()
		}
	})
	wg.Go(func() {
		for n := range 10 {
			i.failing.Store(int32(500 * (n % 2)))
			i.clock.advance(2 * time.Second)
		}
		i.failing.Store(0)
	})
	wg.Wait()
	v.mustPoll(t)
	for n, token := range tokens {
		if n < 25 {
			wantRefused(t, v, token, checkRevoked)
		} else {
			wantAccepted(t, v, token)
		}
	}
}

func FuzzVerify(f *testing.F) {
	i := newIssuer(f)
	s := i.addKey(jose.ES256)
	v := i.verifier(f, Stateless())
	token := s.mint(i.claims(nil))
	f.Add(token, []byte(nil))
	f.Add("..", []byte(`{"iss":"`+i.URL+`"}`))
	f.Add(token+".", []byte(`{"exp":1e308,"aud":[[]]}`))
	f.Add("eyJhbGciOiJub25lIn0.e30.", []byte(`{"a":{"b":[{"\u0063":1,"c":2}]}}`))
	f.Fuzz(func(t *testing.T, text string, claims []byte) {
		if who, err := v.Verify(t.Context(), text); (who == nil) == (err == nil) || who != nil && text != token {
			t.Errorf("%q gave %+v, %v", text, who, err)
		}
		// Signed claims of any content: an identity has what RFC 9068 asks for.
		signed := s.sign(map[string]any{"typ": "at+jwt", "alg": "ES256", "kid": s.kid}, claims)
		who, err := v.Verify(t.Context(), signed)
		if (who == nil) == (err == nil) {
			t.Fatalf("%q gave %+v and %v", claims, who, err)
		}
		if who == nil {
			return
		}
		var known map[string]any
		if json.Unmarshal(claims, &known) != nil || known["sub"] != who.Subject || known["iss"] != i.URL || who.Client == "" || who.TokenID == "" {
			t.Errorf("%q was read as %+v", claims, who)
		}
	})
}
