package http_test

import (
	"testing"

	"github.com/doorward/doorward/test/rig"
)

func TestSessionsEndByTime(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		unused, used := s.SignIn(ana), s.SignIn(ana)

		s.Clock("+6m")
		s.Bearer("GET", "/session", used.Access).Want(t, 401)
		used.Do("GET", "/session", nil).Want(t, 200)

		// Thirteen days later both stand; only one is used. (The idle end moves
		// in tenths: it may come up to a tenth early.)
		s.Clock("+312h")
		used.Refresh().Want(t, 200)
		s.Clock("+340h")
		wantRefusal(t, unused.Do("GET", "/session", nil), 401, "session.in_time")
		a := unused.Refresh()
		wantRefusal(t, a, 401, "session.in_time")
		wantForgotten(t, a, "doorward_refresh")
		used.Do("GET", "/session", nil).Want(t, 200)
		used.Refresh().Want(t, 200)

		// Thirty days are the end, however busy it was.
		s.Clock("+640h")
		used.Refresh().Want(t, 200)
		s.Clock("+721h")
		wantRefusal(t, used.Do("GET", "/session", nil), 401, "session.in_time")
		used.Refresh().Want(t, 401)
	})
}

// A machine's clock can be set back. What was ended stays ended, what stands
// goes on, and people can sign in.
func TestClockGoesBack(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		s.Clock("+2h")
		ended, stands := s.SignIn(ana), s.SignIn(ana)
		cookies := map[string]string{"doorward_session": ended.Cookies["doorward_session"], "doorward_refresh": ended.Cookies["doorward_refresh"]}
		ended.Do("DELETE", "/session", nil).Want(t, 204)
		s.Browser().Do("POST", "/session", rig.Credentials(rig.User{Email: ana.Email, Password: "not the lamp of ana"})).Want(t, 401)

		s.Clock("+0s")
		ended.Cookies = cookies
		ended.Do("GET", "/session", nil).Want(t, 401)
		s.Bearer("GET", "/session", ended.Access).Want(t, 401)
		ended.Refresh().Want(t, 401)

		stands.Do("GET", "/session", nil).Want(t, 200)
		stands.Refresh().Want(t, 200)
		s.Bearer("GET", "/session", stands.Access).Want(t, 200)
		again := s.SignIn(ana)
		again.Do("DELETE", "/sessions/"+stands.Session, nil).Want(t, 204)
		stands.Do("GET", "/session", nil).Want(t, 401)

		// The other way, too: a restart does not bring anything back.
		s.Restart()
		stands.Do("GET", "/session", nil).Want(t, 401)
		again.Do("GET", "/session", nil).Want(t, 200)
	})
}
