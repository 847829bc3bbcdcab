package http_test

import (
	"strconv"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// Guessing is slowed down, and whoever is slowed down is told until when.
func TestTooManyTriesAreTold(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine, rig.Env("DOORWARD_LIMITS_SCALE=1"))
		ana, reader := s.User("ana"), s.API("reader", "notes-api")
		wrong := rig.User{Email: ana.Email, Password: "not the lamp of ana"}
		guesses := map[string]func() rig.Answer{
			"a password":      func() rig.Answer { return s.Browser().Do("POST", "/session", rig.Credentials(wrong)) },
			"a client secret": func() rig.Answer { return introspect(s, rig.Client{ID: reader.ID, Secret: "wrong"}, "token=x") },
		}
		for what, guess := range guesses {
			slowed := rig.Answer{}
			for range 30 {
				if slowed = guess(); slowed.Status != 401 {
					break
				}
			}
			wantClear(t, "guessing "+what, slowed, 429)
			if after, err := strconv.Atoi(slowed.Header.Get("Retry-After")); err != nil || after < 1 || after > 3600 {
				t.Errorf("guessing %s: Retry-After is %q", what, slowed.Header.Get("Retry-After"))
			}
		}
		// Known and unknown look alike, and the right password waits as well.
		wantClear(t, "the right password", s.Browser().Do("POST", "/session", rig.Credentials(ana)), 429)
		// What this node owes to shared budgets is paid before the clock jumps.
		s.Restart()
		s.Clock("+2h")
		s.SignIn(ana)
		introspect(s, reader, "token=x").Want(t, 200)
	})
}
