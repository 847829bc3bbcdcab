package fault_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
	doorward "github.com/doorward/doorward/sdk"
	"github.com/doorward/doorward/test/rig"
)

const ordersOrigin = "https://orders.example.com"

// nodes are the servers of a deployment: one on SQLite, two on PostgreSQL.
func nodes(t *testing.T, engine rig.Engine) []*rig.Server {
	first := rig.Start(t, engine, rig.Env("DOORWARD_KEYS_KEK_FILE="+filepath.Join(t.TempDir(), "kek")))
	if engine == rig.SQLite {
		return []*rig.Server{first}
	}
	return []*rig.Server{first, rig.Start(t, engine, rig.NodeOf(first))}
}

// verifiers are an API's, one that follows each node.
func verifiers(t *testing.T, all []*rig.Server) (out []*doorward.Verifier) {
	all[0].App("orders", ordersOrigin, "orders-api")
	c := all[0].API("orders-server", "orders-api")
	for _, s := range all {
		v, err := doorward.New(t.Context(), s.URL, doorward.Audience("orders-api"), doorward.Client(c.ID, c.Secret), doorward.HTTPClient(s.Client()),
			doorward.Logger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(v.Close)
		out = append(out, v)
	}
	return out
}

// signingKeys are the ids of signing keys by state.
func signingKeys(t *testing.T, s *rig.Server) map[string][]string {
	t.Helper()
	r := s.CLI("", "keys", "list", "--json")
	var all struct {
		Keys []struct {
			Purpose, State string
			KID            string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(r.Stdout), &all, json.MatchCaseInsensitiveNames(true)); err != nil || r.Code != 0 {
		t.Fatalf("keys list: %+v, %v", r, err)
	}
	out := map[string][]string{}
	for _, k := range all.Keys {
		if k.Purpose == "signing" {
			out[k.State] = append(out[k.State], k.KID)
		}
	}
	return out
}

// kid reads which key a token names.
func kid(t *testing.T, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	raw, _ := secret.Decode(head)
	var h struct {
		KID string `json:"kid"`
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	return h.KID
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Invariant I-20: while the key changes under load, no verifier refuses a good
// token, whichever node signed it and whichever the verifier follows.
func TestARotationUnderLoadFailsNoToken(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		all := nodes(t, engine)
		vs := verifiers(t, all)
		ana := all[0].User("ana")
		old := signingKeys(t, all[0])["current"][0]
		var mu sync.Mutex
		seen := map[string]int{}
		good := func(token string) {
			for i, v := range vs {
				if _, err := v.Verify(context.Background(), token); err != nil {
					t.Errorf("verifier %d refuses a good token of key %s: %v", i, kid(t, token), err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			seen[kid(t, token)]++
		}
		stop := make(chan struct{})
		var load sync.WaitGroup
		for i := range 4 {
			b := all[i%len(all)].SignInAt(ana, ordersOrigin)
			load.Go(func() {
				// A steady pace: every token is remembered until the end, when
				// all that the server kept is searched for it.
				pace := time.NewTicker(50 * time.Millisecond)
				defer pace.Stop()
				for {
					select {
					case <-stop:
						return
					case <-pace.C:
					}
					good(b.Access)
					// The next node gives the next token.
					b.Refresh().Want(t, 200)
				}
			})
		}
		first := all[0].SignInAt(ana, ordersOrigin).Access
		if r := all[0].CLI("", "keys", "rotate", "--now"); r.Code != 0 {
			t.Errorf("keys rotate: %+v", r)
		}
		next := signingKeys(t, all[0])["next"]
		if len(next) == 1 {
			eventually(t, "the next key signs under load", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return t.Failed() || seen[next[0]] > 50*len(all)
			})
		}
		close(stop)
		load.Wait()
		if len(next) != 1 || seen[old] == 0 || seen[next[0]] == 0 {
			t.Fatalf("tokens by key: %v, next was %v", seen, next)
		}
		good(first)
	})
}

// Invariant I-21: a compromised key is believed by nobody who follows, and
// nobody is signed out.
func TestACompromisedKeyIsDeadEverywhere(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		all := nodes(t, engine)
		vs := verifiers(t, all)
		last := all[len(all)-1]
		b := last.SignInAt(all[0].User("ana"), ordersOrigin)
		own := last.SignIn(all[0].User("ben"))
		stolen := kid(t, b.Access)
		for _, v := range vs {
			if _, err := v.Verify(t.Context(), b.Access); err != nil {
				t.Fatal(err)
			}
		}
		if r := all[0].CLI("", "keys", "retire", stolen, "--compromised", "--json"); r.Code != 0 {
			t.Fatalf("keys retire: %+v", r)
		}
		for i, v := range vs {
			eventually(t, "the verifier refuses", func() bool {
				_, err := v.Verify(t.Context(), b.Access)
				var r *doorward.Refusal
				return errors.As(err, &r) && r.Status == http.StatusUnauthorized && r.Check == "token.revoked"
			})
			eventually(t, "the key is out of the JWKS", func() bool {
				return !strings.Contains(string(all[i].Browser().Do("GET", "/oauth/jwks", nil).Body), stolen)
			})
			eventually(t, "the node refuses", func() bool { return all[i].Bearer("GET", "/session", own.Access).Status == 401 })
		}
		// The page refreshes, and what it gets is good.
		eventually(t, "a good token by another key", func() bool {
			b.Refresh().Want(t, 200)
			_, err := vs[0].Verify(t.Context(), b.Access)
			return err == nil && kid(t, b.Access) != stolen
		})
		b.Do("GET", "/session", nil).Want(t, 200)
		if r := all[0].CLI("", "keys", "retire", "nothing", "--compromised"); r.Code != 1 || !strings.Contains(r.Stderr, "key.found") {
			t.Errorf("retire of no key: %+v", r)
		}
		if r := all[0].CLI("", "keys", "retire", stolen); r.Code != 5 || !strings.Contains(r.Stderr, "key.current") {
			t.Errorf("retire of a key that is not in use: %+v", r)
		}
		// A restart does not forget it.
		last.Restart()
		last.Bearer("GET", "/session", own.Access).Want(t, 401)
		b.Refresh().Want(t, 200)
	})
}

// Invariant I-22.
func TestTheKeyEncryptionKeyRotatesWithNobodySignedOut(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		all := nodes(t, engine)
		first := all[0]
		b := first.SignIn(first.User("ana"))
		if r := first.CLI("", "keys", "rotate-kek", "--json"); r.Code != 0 || !strings.Contains(r.Stdout, `"resealed":7`) {
			t.Fatalf("rotate-kek: %+v", r)
		}
		for _, s := range all {
			// The file is shared: it is read again where it must be.
			eventually(t, "every node is ready", func() bool { return s.Browser().Do("GET", "/readyz", nil).Status == 200 })
			s.Bearer("GET", "/session", b.Access).Want(t, 200)
			s.Restart()
			s.Bearer("GET", "/session", b.Access).Want(t, 200)
		}
		b.Refresh().Want(t, 200)
	})
}

// A node whose own key-encryption key is the old one says so, is not ready,
// and serves on until it is given the new one.
func TestANodeWithTheOldKeyEncryptionKey(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	one := rig.Start(t, rig.Postgres, rig.Env("DOORWARD_KEYS_KEK_FILE="+mine))
	give := func() {
		t.Helper()
		text, err := os.ReadFile(mine)
		if err == nil {
			err = os.WriteFile(theirs, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	give()
	two := rig.Start(t, rig.Postgres, rig.NodeOf(one), rig.Env("DOORWARD_KEYS_KEK_FILE="+theirs))
	b := two.SignIn(one.User("ana"))
	if r := one.CLI("", "keys", "rotate-kek"); r.Code != 0 {
		t.Fatalf("rotate-kek: %+v", r)
	}
	eventually(t, "the node is not ready", func() bool { return two.Browser().Do("GET", "/readyz", nil).Status == 503 })
	if !strings.Contains(two.Log(), "key-encryption key does not open") {
		t.Error("it does not say why")
	}
	b.Refresh().Want(t, 200)
	two.Bearer("GET", "/session", b.Access).Want(t, 200)
	if r := two.CLI("", "keys", "rotate-kek"); r.Code != 4 || !strings.Contains(r.Stderr, "kek.opens") {
		t.Errorf("a node with a wrong key-encryption key rotates it: %+v", r)
	}
	give()
	eventually(t, "the node is ready again", func() bool { return two.Browser().Do("GET", "/readyz", nil).Status == 200 })
	one.Bearer("GET", "/session", b.Access).Want(t, 200)
}

// The key-encryption key in the environment: the first seals and all open.
func TestTheKeyEncryptionKeyFromTheEnvironment(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		fresh := func() string { k := secret.Random(); return secret.Encode(k[:]) }
		old, newer := fresh(), fresh()
		s := rig.Start(t, engine, rig.Env("DOORWARD_KEYS_KEK="+old))
		b := s.SignIn(s.User("ana"))
		if _, err := os.Stat(filepath.Join(s.Data, "kek")); err == nil {
			t.Error("a file was made beside the key in the environment")
		}
		if r := s.CLI("", "keys", "rotate-kek"); r.Code != 5 || !strings.Contains(r.Stderr, "kek.newer") {
			t.Errorf("there is nothing to move to: %+v", r)
		}
		s.Stop()
		before := s.Dump()
		with := func(kek string) *rig.Server {
			return rig.New(t, engine, rig.NodeOf(s), rig.Data(s.Data), rig.Env("DOORWARD_KEYS_KEK="+kek))
		}
		refuses(t, with(newer), "does not open")
		refuses(t, with(old[:42]), "32 bytes")
		refuses(t, with(old[:40]), "32 bytes")
		refuses(t, with("a password"), "32 bytes")
		refuses(t, rig.New(t, engine, rig.NodeOf(s), rig.Data(s.Data), rig.Env("DOORWARD_KEYS_KEK_FILE=/nowhere")), "keys.kek")
		same(t, s, before)

		both := with(newer + "," + old)
		both.Run()
		if r := both.CLI("", "keys", "rotate-kek"); r.Code != 0 {
			t.Fatalf("rotate-kek: %+v", r)
		}
		both.Bearer("GET", "/session", b.Access).Want(t, 200)
		both.Stop()
		refuses(t, with(old), "does not open")
		after := with(newer)
		after.Run()
		after.Bearer("GET", "/session", b.Access).Want(t, 200)
		for _, text := range []string{s.Log(), both.Log(), after.Log()} {
			if strings.Contains(text, old) || strings.Contains(text, newer) {
				t.Error("the log has a key-encryption key")
			}
		}
	})
}

// A key's whole life, by the clock alone: published a week ahead, used from its
// turn on, and gone when nothing that the former one signed can live.
func TestKeysTakeTurnsByTheClock(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		all := nodes(t, engine)
		ana := all[0].User("ana")
		clock := func(offset string) {
			t.Helper()
			for _, s := range all {
				s.Clock(offset)
			}
		}
		published := func(s *rig.Server) string { return string(s.Browser().Do("GET", "/oauth/jwks", nil).Body) }
		first := kid(t, all[0].SignIn(ana).Access)

		clock("+2010h") // a few hours before day 84
		if len(signingKeys(t, all[0])["next"]) != 0 {
			t.Error("the next key was made before its time")
		}
		clock("+2017h")
		var next string
		eventually(t, "the next key is made", func() bool {
			waits := signingKeys(t, all[0])["next"]
			if len(waits) == 1 {
				next = waits[0]
			}
			return len(waits) == 1
		})
		for _, s := range all {
			eventually(t, "every node publishes both", func() bool {
				p := published(s)
				return strings.Contains(p, first) && strings.Contains(p, next)
			})
			if got := kid(t, s.SignIn(ana).Access); got != first {
				t.Errorf("signed by %s before its turn", got)
			}
		}
		clock("+2161h") // an hour after day 90
		for _, s := range all {
			eventually(t, "every node signs with the next key", func() bool { return kid(t, s.SignIn(ana).Access) == next })
			if p := published(s); !strings.Contains(p, first) {
				t.Error("the former key is not published while its tokens may live")
			}
		}
		clock("+2209h")
		for _, s := range all {
			eventually(t, "the former key is gone", func() bool { return !strings.Contains(published(s), first) })
		}
		eventually(t, "its private part is erased", func() bool {
			r := all[0].CLI("", "keys", "list", "--json")
			_, after, _ := strings.Cut(r.Stdout, first)
			entry, _, _ := strings.Cut(after, "}")
			return strings.Contains(entry, `"erased":true`)
		})
	})
}
