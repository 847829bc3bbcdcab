package fault_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

// Two first starts at once on one empty database found one deployment.
func TestNodesStartTogether(t *testing.T) {
	for round := range 4 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			one := rig.New(t, rig.Postgres, rig.Env("DOORWARD_KEYS_KEK_FILE="+filepath.Join(t.TempDir(), "kek")))
			two := rig.New(t, rig.Postgres, rig.NodeOf(one))
			var wg sync.WaitGroup
			for _, s := range []*rig.Server{one, two} {
				wg.Go(func() {
					if err := s.TryRun(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if t.Failed() {
				return
			}
			if a, b := one.Browser().Do("GET", "/oauth/jwks", nil), two.Browser().Do("GET", "/oauth/jwks", nil); string(a.Body) != string(b.Body) {
				t.Errorf("the nodes have different keys: %s and %s", a.Body, b.Body)
			}
			b := one.SignIn(two.User("ana"))
			two.Browser().Do("GET", "/session", nil, "Cookie", b.Cookie()).Want(t, 200)
		})
	}
}

// What one node takes away, the other does not give (invariant I-28: within a
// second, and never later than five).
func TestNodesShareSessionsAndRevocations(t *testing.T) {
	one := rig.Start(t, rig.Postgres, rig.Env("DOORWARD_KEYS_KEK_FILE="+filepath.Join(t.TempDir(), "kek")))
	two := rig.Start(t, rig.Postgres, rig.NodeOf(one))
	ana := one.User("ana")
	var delays []time.Duration
	for i := range 40 {
		here, there := one, two
		if i%2 == 1 {
			here, there = two, one
		}
		b := here.SignIn(ana)
		cookie := b.Cookie()
		ask := map[string]func() rig.Answer{
			"cookie": func() rig.Answer { return there.Browser().Do("GET", "/session", nil, "Cookie", cookie) },
			"token":  func() rig.Answer { return there.Bearer("GET", "/session", b.Access) },
		}
		for name, a := range ask {
			if got := a(); got.Status != 200 {
				t.Fatalf("the other node answers the %s with %d %s", name, got.Status, got.Body)
			}
		}
		switch i % 4 {
		case 0, 1:
			b.Do("DELETE", "/session", nil).Want(t, 204)
		case 2:
			if r := here.CLI("", "sessions", "end", b.Session, "--yes", "--json"); r.Code != 0 {
				t.Fatalf("sessions end: %+v", r)
			}
		case 3:
			here.SignIn(ana).Do("POST", "/sessions/end-others", nil).Want(t, 200)
		}
		began := time.Now()
		for name, a := range ask {
			for a().Status == 200 {
				if time.Since(began) > 5*time.Second {
					t.Fatalf("5 s after its end the other node still takes the %s", name)
				}
				time.Sleep(time.Millisecond)
			}
		}
		delays = append(delays, time.Since(began))
		if a := there.Browser().Do("POST", "/session/refresh", nil, "Cookie", cookie); a.Status != 401 {
			t.Errorf("the other node refreshes what was ended: %d", a.Status)
		}
	}
	slices.Sort(delays)
	t.Logf("from the answer of one node to the refusal of the other: p50 %v, max %v of %d", delays[len(delays)/2], delays[len(delays)-1], len(delays))
	if delays[len(delays)/2] > time.Second {
		t.Errorf("half of the revocations took longer than %v", delays[len(delays)/2])
	}

	// One refresh token at both nodes at once: one family, no theft.
	b := one.SignIn(ana)
	cookie := b.Cookie()
	var wg sync.WaitGroup
	got := make([]rig.Answer, 8)
	for i := range got {
		wg.Go(func() {
			s := []*rig.Server{one, two}[i%2]
			got[i] = s.Browser().Try("POST", "/session/refresh", nil, "Cookie", cookie)
		})
	}
	wg.Wait()
	successors := map[string]bool{}
	for _, a := range got {
		a.Want(t, 200)
		for _, c := range a.Cookies() {
			successors[c.Value] = true
		}
	}
	if len(successors) != 1 {
		t.Errorf("one refresh token has %d successors", len(successors))
	}

	// A node that goes takes nobody along.
	one.Kill()
	two.Browser().Do("GET", "/session", nil, "Cookie", cookie).Want(t, 200)
	two.SignIn(ana)
}
