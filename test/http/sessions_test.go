package http_test

import (
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

type listed struct {
	Sessions []struct {
		ID       string    `json:"id"`
		Device   string    `json:"device"`
		IP       string    `json:"ip"`
		Place    string    `json:"place"`
		Method   string    `json:"method"`
		Created  time.Time `json:"created"`
		LastSeen time.Time `json:"last_seen"`
		Current  bool      `json:"current"`
	} `json:"sessions"`
}

func TestPeopleSeeTheirOwnSessions(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana, ben := s.User("ana"), s.User("ben")
		here, there := s.SignIn(ana), s.SignIn(ana)
		s.SignIn(ben)
		for name, a := range map[string]rig.Answer{"cookie": here.Do("GET", "/sessions", nil), "token": s.Bearer("GET", "/sessions", here.Access)} {
			var got listed
			a.Want(t, 200).Into(t, &got)
			if len(got.Sessions) != 2 {
				t.Fatalf("by %s there are %d sessions, want 2: %s", name, len(got.Sessions), a.Body)
			}
			for _, one := range got.Sessions {
				if one.ID != here.Session && one.ID != there.Session || one.Current != (one.ID == here.Session) {
					t.Errorf("by %s there is %+v", name, one)
				}
				if !strings.HasPrefix(one.Device, "Chrome") || one.IP != "127.0.0.1" || one.Method != "password" || one.Created.IsZero() || one.LastSeen.Before(one.Created) {
					t.Errorf("the session is told as %+v", one)
				}
			}
		}
	})
}

// Attack SES-10.
func TestEndingOneSession(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana, ben := s.User("ana"), s.User("ben")
		here, there, foreign := s.SignIn(ana), s.SignIn(ana), s.SignIn(ben)

		// What is somebody else's is answered like what is not there.
		unknown := "ses_" + strings.Repeat("0", len(there.Session)-len("ses_"))
		var told [][2]string
		for _, id := range []string{foreign.Session, unknown, "ses_x", "-"} {
			a := here.Do("DELETE", "/sessions/"+id, nil)
			wantRefusal(t, a, 404, "session.own")
			body := strings.Replace(string(a.Body), a.Refusal(t).Ref, "REF", 1)
			a.Header.Del("Date")
			told = append(told, [2]string{id, body + a.Header.Get("Content-Length")})
		}
		for _, one := range told[1:] {
			if one[1] != told[0][1] {
				t.Errorf("%s is answered %s, a foreign session %s", one[0], one[1], told[0][1])
			}
		}
		foreign.Do("GET", "/session", nil).Want(t, 200)

		here.Do("DELETE", "/sessions/"+there.Session, nil).Want(t, 204)
		wantRefusal(t, there.Do("GET", "/session", nil), 401, "session.alive")
		if a := there.Refresh(); a.Status != 401 {
			t.Errorf("the ended session's refresh answers %d", a.Status)
		}
		here.Do("GET", "/session", nil).Want(t, 200)
	})
}

func TestEndingTheOthers(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana, ben := s.User("ana"), s.User("ben")
		here, foreign := s.SignIn(ana), s.SignIn(ben)
		others := []*rig.Browser{s.SignIn(ana), s.SignIn(ana)}
		access := here.Access
		var out struct {
			Ended int `json:"ended"`
		}
		here.Do("POST", "/sessions/end-others", nil).Want(t, 200).Into(t, &out)
		if out.Ended != 2 {
			t.Errorf("it says %d were ended, want 2", out.Ended)
		}
		for _, o := range others {
			o.Do("GET", "/session", nil).Want(t, 401)
			s.Bearer("GET", "/session", o.Access).Want(t, 401)
			o.Refresh().Want(t, 401)
		}
		here.Do("GET", "/session", nil).Want(t, 200)
		foreign.Do("GET", "/session", nil).Want(t, 200)
		// Tokens from before the cut are dead, also one's own; a new one is a
		// refresh away.
		s.Bearer("GET", "/session", access).Want(t, 401)
		here.Refresh().Want(t, 200)
		s.Bearer("GET", "/session", here.Access).Want(t, 200)
		// And whoever was ended can come back.
		s.SignIn(ana).Do("GET", "/session", nil).Want(t, 200)
	})
}

// Attack MFA-10.
func TestEndingAsksForFreshProof(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		here, there := s.SignIn(ana), s.SignIn(ana)
		s.Clock("+11m")
		for name, a := range map[string]rig.Answer{
			"end one":    here.Do("DELETE", "/sessions/"+there.Session, nil),
			"end others": here.Do("POST", "/sessions/end-others", nil),
		} {
			wantRefusal(t, a, 401, "session.fresh")
			if r := a.Refusal(t); r.Error != "insufficient_user_authentication" {
				t.Errorf("%s: the error is %q", name, r.Error)
			}
			if w := a.Header.Get("WWW-Authenticate"); w != `Bearer error="insufficient_user_authentication", max_age=600` {
				t.Errorf("%s: the challenge is %q", name, w)
			}
			if len(a.Cookies()) > 0 {
				t.Errorf("%s: asking for proof took cookies away: %v", name, a.Header["Set-Cookie"])
			}
		}
		there.Do("GET", "/session", nil).Want(t, 200)
		// Signing in again is proof.
		here.Do("POST", "/session", rig.Credentials(ana)).Want(t, 201)
		here.Do("DELETE", "/sessions/"+there.Session, nil).Want(t, 204)
		there.Do("GET", "/session", nil).Want(t, 401)
		// Signing out asks for none.
		s.Clock("+30m")
		here.Do("DELETE", "/session", nil).Want(t, 204)
	})
}
