package fault_test

import (
	"encoding/base64"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/store/storetest/postgres"
	"github.com/doorward/doorward/test/rig"
)

const appOrigin = "https://notes.example.com"

// While the database is away nobody is signed out: whoever asks is told to
// come back, and keeps what they have.
func TestOutageSignsNobodyOut(t *testing.T) {
	for name, fail := range map[string]func(*rig.Relay){"silent": (*rig.Relay).Pause, "cut": (*rig.Relay).Cut} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := postgres.Start(t)
			relay := rig.NewRelay(t, direct)
			s := rig.Start(t, rig.Postgres, rig.Database(relay.URL, direct))
			ana := s.User("ana")
			s.App("notes", appOrigin, "notes-api")
			reader := s.API("reader", "notes-api")
			own, app := s.SignIn(ana), s.SignInAt(ana, appOrigin)
			ended := s.SignIn(ana)
			dead := ended.Cookie()
			ended.Do("DELETE", "/session", nil).Want(t, 204)
			cookies := map[*rig.Browser]string{own: own.Cookie(), app: app.Cookie()}

			fail(relay)
			// For a second what was known before still counts.
			for s.Browser().Do("GET", "/readyz", nil).Status == http.StatusOK {
				time.Sleep(20 * time.Millisecond)
			}
			type asked struct {
				what string
				a    rig.Answer
			}
			answers := make(chan asked)
			var wg sync.WaitGroup
			ask := func(what string, f func() rig.Answer) {
				wg.Go(func() { answers <- asked{what, f()} })
			}
			for who, b := range map[string]*rig.Browser{"own": own, "app": app} {
				for _, one := range [][2]string{{"GET", "/session"}, {"POST", "/session/refresh"}, {"DELETE", "/session"}, {"GET", "/sessions"}, {"GET", "/session/exchanges"},
					{"DELETE", "/sessions/" + b.Session}, {"POST", "/sessions/end-others"}} {
					cookie := cookies[b]
					ask(who+" "+one[0]+" "+one[1], func() rig.Answer {
						c := s.Browser()
						c.Origin = b.Origin
						return c.Try(one[0], one[1], nil, "Cookie", cookie)
					})
				}
				ask(who+" token", func() rig.Answer { return s.Browser().Try("GET", "/session", nil, "Authorization", "Bearer "+b.Access) })
				ask(who+" sign-in", func() rig.Answer {
					c := s.Browser()
					c.Origin = b.Origin
					return c.Try("POST", "/session", rig.Credentials(ana))
				})
			}
			basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(reader.ID+":"+reader.Secret))
			ask("a dead session", func() rig.Answer { return s.Browser().Try("GET", "/session", nil, "Cookie", dead) })
			ask("a dead family", func() rig.Answer { return s.Browser().Try("POST", "/session/refresh", nil, "Cookie", dead) })
			ask("introspection", func() rig.Answer {
				return s.Browser().Try("POST", "/oauth/introspect", "token="+app.Access, "Content-Type", "application/x-www-form-urlencoded", "Authorization", basic)
			})
			ask("the feed", func() rig.Answer {
				return s.Browser().Try("GET", "/revocations?after=0&wait=1s", nil, "Authorization", basic)
			})
			ask("readiness", func() rig.Answer { return s.Browser().Try("GET", "/readyz", nil) })
			wg.Go(func() {
				if r := s.CLI("", "users", "list", "--json"); r.Code != 3 {
					t.Errorf("an operator is told %+v", r)
				}
			})
			go func() { wg.Wait(); close(answers) }()
			for one := range answers {
				a := one.a
				if a.Err != nil || a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || len(a.Cookies()) > 0 {
					t.Errorf("%s is answered %d %s with %v (%v)", one.what, a.Status, a.Body, a.Header, a.Err)
				}
			}
			for _, path := range []string{"/healthz", "/oauth/jwks", "/.well-known/openid-configuration"} {
				s.Browser().Do("GET", path, nil).Want(t, 200)
			}

			relay.Resume()
			recovered(t, s)
			for who, b := range map[string]*rig.Browser{"own": own, "app": app} {
				if a := b.Do("GET", "/session", nil); a.Status != 200 {
					t.Errorf("after the outage %s is answered %d %s", who, a.Status, a.Body)
				}
				if a := b.Refresh(); a.Status != 200 {
					t.Errorf("after the outage %s refreshes: %d %s", who, a.Status, a.Body)
				}
			}
			s.Browser().Do("GET", "/session", nil, "Cookie", dead).Want(t, 401)
			s.SignIn(ana)
		})
	}
}

// recovered waits until the server is ready again.
func recovered(t *testing.T, s *rig.Server) {
	t.Helper()
	began := time.Now()
	for s.Browser().Try("GET", "/readyz", nil).Status != http.StatusOK {
		if time.Since(began) > 30*time.Second {
			t.Fatal("30 s after the outage the server is not ready")
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("ready %v after the outage", time.Since(began).Round(time.Millisecond))
}
