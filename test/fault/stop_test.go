package fault_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

func TestProbes(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		for _, path := range []string{"/healthz", "/readyz"} {
			// Probes come by address and know no name.
			s.Browser().Do("GET", path, nil, "Host", "10.0.0.7:8400").Want(t, 200)
		}
	})
}

func TestStopFinishesWhatItTook(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana, reader := s.User("ana"), s.API("reader", "notes-api")
		stays := s.SignIn(ana)
		b := s.Browser()
		b.Origin = ""
		follow := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(reader.ID+":"+reader.Secret))}

		var wg sync.WaitGroup
		polled := make(chan rig.Answer, 1)
		wg.Go(func() { polled <- b.Try("GET", "/revocations?after=0&wait=25s", nil, follow...) })
		var mu sync.Mutex
		var signedIn []*rig.Browser
		first := make(chan struct{}, 64)
		for range 8 {
			wg.Go(func() {
				b := s.Browser()
				a := b.Try("POST", "/session", rig.Credentials(ana))
				switch {
				case a.Status == http.StatusCreated:
					mu.Lock()
					signedIn = append(signedIn, b)
					mu.Unlock()
				case a.Err == nil && a.Header.Get("Retry-After") == "":
					t.Errorf("while it stops a sign-in is answered %d %s", a.Status, a.Body)
				}
				first <- struct{}{}
			})
		}
		// Two comparisons run at a time: when one has ended, others are under way.
		<-first
		began := time.Now()
		s.Signal(syscall.SIGTERM)
		if code := s.Wait(20 * time.Second); code != 0 {
			t.Errorf("after SIGTERM it ended with %d", code)
		}
		took := time.Since(began)
		wg.Wait()
		if a := <-polled; a.Err != nil || a.Status != http.StatusOK || !strings.Contains(string(a.Body), `"events":[]`) {
			t.Errorf("the poll that was held is answered %d %s (%v)", a.Status, a.Body, a.Err)
		}
		t.Logf("it stopped within %v, having answered %d of 8 sign-ins", took, len(signedIn))
		if len(signedIn) == 0 {
			t.Error("no sign-in was answered")
		}
		s.Run()
		for _, b := range append(signedIn, stays) {
			b.Do("GET", "/session", nil).Want(t, 200)
			b.Refresh().Want(t, 200)
		}
	})
}

// What was answered before the machine lost its power is so after.
func TestAcknowledgedIsDurable(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		ins, outs := 0, 0
		for round := range 20 {
			leaving := []*rig.Browser{s.SignIn(ana), s.SignIn(ana)}
			held := map[*rig.Browser]string{}
			for _, b := range leaving {
				held[b] = b.Cookie()
			}
			var mu sync.Mutex
			var in, out []*rig.Browser
			var wg sync.WaitGroup
			answered := make(chan struct{}, 100)
			wg.Go(func() {
				for {
					b := s.Browser()
					if b.Try("POST", "/session", rig.Credentials(ana)).Status != http.StatusCreated {
						return
					}
					mu.Lock()
					in = append(in, b)
					mu.Unlock()
					answered <- struct{}{}
				}
			})
			wg.Go(func() {
				for _, b := range leaving {
					if b.Try("DELETE", "/session", nil).Status == http.StatusNoContent {
						mu.Lock()
						out = append(out, b)
						mu.Unlock()
						answered <- struct{}{}
					}
				}
			})
			// At another moment in each round: between two answers, or just at one.
			for range 1 + round%4 {
				<-answered
			}
			s.Kill()
			wg.Wait()
			s.Run()
			for _, b := range in {
				b.Do("GET", "/session", nil).Want(t, 200)
				if a := b.Refresh(); a.Status != 200 {
					t.Fatalf("round %d: the refresh token of an acknowledged sign-in answers %d %s", round, a.Status, a.Body)
				}
			}
			for _, b := range out {
				for name, a := range map[string]rig.Answer{
					"cookie": s.Browser().Do("GET", "/session", nil, "Cookie", held[b]), "refresh": s.Browser().Do("POST", "/session/refresh", nil, "Cookie", held[b]),
					"token": s.Bearer("GET", "/session", b.Access),
				} {
					if a.Status != 401 {
						t.Fatalf("round %d: after an acknowledged sign-out the %s answers %d", round, name, a.Status)
					}
				}
			}
			ins, outs = ins+len(in), outs+len(out)
		}
		t.Logf("%d sign-ins and %d sign-outs were answered before 20 kills", ins, outs)
		if ins == 0 || outs == 0 {
			t.Error("nothing was answered before the kills")
		}
	})
}
