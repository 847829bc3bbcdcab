package http_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

// tokens is the body of a sign-in and of a refresh.
type tokens struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Session     struct {
		ID        string    `json:"id"`
		Created   time.Time `json:"created"`
		AuthTime  time.Time `json:"auth_time"`
		IdleUntil time.Time `json:"idle_until"`
		ExpiresAt time.Time `json:"expires_at"`
		Method    string    `json:"method"`
		ACR       string    `json:"acr"`
	} `json:"session"`
	User struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
}

// wantCookies expects exactly these cookies, each as bounded as it can be.
func wantCookies(t *testing.T, a rig.Answer, names ...string) {
	t.Helper()
	var got []string
	for _, c := range a.Cookies() {
		got = append(got, c.Name)
		days := 30 // of a session; a browser is known for longer
		if c.Name == "doorward_device" {
			days = 400
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure ||
			c.MaxAge < (days-1)*24*3600 || c.MaxAge > days*24*3600 || len(c.Value) < 43 {
			t.Errorf("the cookie is %q", c.Raw)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, names) {
		t.Errorf("the answer sets the cookies %q, want %q", got, names)
	}
}

// wantForgotten expects the answer to take a cookie away.
func wantForgotten(t *testing.T, a rig.Answer, names ...string) {
	t.Helper()
	for _, name := range names {
		if !slices.ContainsFunc(a.Cookies(), func(c *http.Cookie) bool { return c.Name == name && c.MaxAge < 0 && c.Value == "" && c.Path == "/" }) {
			t.Errorf("%s is not taken away: %q", name, a.Header["Set-Cookie"])
		}
	}
}

// wantRefusal expects a refusal that says what it is: a problem with status,
// title and reference, that nobody may keep.
func wantRefusal(t *testing.T, a rig.Answer, status int, check string) {
	t.Helper()
	a.Want(t, status)
	r := a.Refusal(t)
	if r.Status != status || r.Title == "" || len(r.Ref) != 7 || r.Ref[4] != '-' || r.Check != check {
		t.Errorf("the refusal says %+v, want %s", r, check)
	}
	if a.Header.Get("Content-Type") != "application/problem+json" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the refusal's headers are %v", a.Header)
	}
}

func TestSignInGivesTokensAndCookies(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		b := s.Browser()
		a := b.Do("POST", "/session", rig.Credentials(ana)).Want(t, 201)
		var in tokens
		a.Into(t, &in)
		if in.AccessToken == "" || in.AccessToken != a.Header.Get("X-New-Access-Token") || in.TokenType != "Bearer" || in.ExpiresIn < 290 || in.ExpiresIn > 300 {
			t.Errorf("the tokens are %+v", in)
		}
		if !strings.HasPrefix(in.Session.ID, "ses_") || in.Session.Method != "password" || in.Session.ACR != "urn:doorward:acr:1" || in.User.ID != ana.ID || in.User.Email != ana.Email {
			t.Errorf("the session is %+v of %+v", in.Session, in.User)
		}
		if idle, life := in.Session.IdleUntil.Sub(in.Session.Created), in.Session.ExpiresAt.Sub(in.Session.Created); idle != 14*24*time.Hour || life != 30*24*time.Hour {
			t.Errorf("the session lasts %v without use and %v in all", idle, life)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("the answer's headers are %v", a.Header)
		}
		wantCookies(t, a, "doorward_device", "doorward_refresh", "doorward_session")
		for _, c := range a.Cookies() {
			if strings.Contains(string(a.Body), c.Value) {
				t.Errorf("%s is in the body, where scripts can read it", c.Name)
			}
		}

		for _, who := range []struct {
			name string
			a    rig.Answer
		}{{"by cookie", b.Do("GET", "/session", nil)}, {"by token", s.Bearer("GET", "/session", in.AccessToken)}} {
			var me tokens
			who.a.Want(t, 200).Into(t, &me)
			if me.Session.ID != in.Session.ID || me.User.ID != ana.ID || me.Session.ExpiresAt != in.Session.ExpiresAt {
				t.Errorf("%s it is %+v", who.name, me)
			}
		}
	})
}

func TestWrongPasswordAndUnknownAddressLookAlike(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		for _, who := range []rig.User{{Email: ana.Email, Password: "not the lamp of ana"}, {Email: "nobody@example.com", Password: ana.Password}, {Email: "no address", Password: ana.Password}} {
			a := s.Browser().Do("POST", "/session", rig.Credentials(who))
			wantRefusal(t, a, 401, "signin.failed")
			if len(a.Cookies()) > 0 || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: the headers are %v", who.Email, a.Header)
			}
		}
	})
}

func TestRefreshRotatesWithinTheSession(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		b := s.SignIn(ana)
		session, first, access := b.Session, b.Cookies["doorward_refresh"], b.Access
		a := b.Refresh().Want(t, 200)
		wantCookies(t, a, "doorward_refresh")
		var in tokens
		a.Into(t, &in)
		second := b.Cookies["doorward_refresh"]
		if in.Session.ID != session || in.User.ID != ana.ID || second == first || in.AccessToken == access {
			t.Errorf("the refresh gave %+v, the cookie changed: %v, the token: %v", in, second != first, in.AccessToken != access)
		}
		s.Bearer("GET", "/session", in.AccessToken).Want(t, 200)

		// A lost answer asked for again gives the same successor.
		b.Cookies["doorward_refresh"] = first
		b.Refresh().Want(t, 200)
		if b.Cookies["doorward_refresh"] != second {
			t.Error("the retry gave another successor")
		}

		// Once the successor was used, the parent is somebody else's copy.
		b.Refresh().Want(t, 200)
		thief := s.Browser()
		thief.Cookies["doorward_refresh"] = first
		a = thief.Refresh()
		wantRefusal(t, a, 401, "refresh.unspent")
		wantForgotten(t, a, "doorward_refresh")
		for name, a := range map[string]rig.Answer{"cookie": b.Do("GET", "/session", nil), "token": s.Bearer("GET", "/session", b.Access), "refresh": b.Refresh()} {
			if a.Status != 401 {
				t.Errorf("after the reuse the %s still answers %d", name, a.Status)
			}
		}
	})
}

func TestRefreshAsksWhereItComesFrom(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		s.App("notes", "https://notes.example.com", "notes-api")
		b := s.SignIn(s.User("ana"))
		before := s.State()
		for _, from := range [][]string{
			{"Origin", "", "Sec-Fetch-Site", ""},
			{"Origin", "null", "Sec-Fetch-Site", "cross-site"},
			{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
			{"Origin", "https://evil.example", "Sec-Fetch-Site", ""},
			{"Origin", "https://notes.example.com.evil.example", "Sec-Fetch-Site", "same-site"},
			{"Origin", "http://notes.example.com", "Sec-Fetch-Site", "cross-site"},
			{"Origin", "", "Sec-Fetch-Site", "cross-site"},
			{"Origin", "", "Sec-Fetch-Site", "same-site"},
			{"Origin", s.URL, "Origin", "https://evil.example"},
		} {
			a := b.Do("POST", "/session/refresh", nil, from...)
			if a.Status != 403 || len(a.Cookies()) > 0 || a.Refusal(t).Ref == "" {
				t.Errorf("from %q the refresh answers %d %s", from, a.Status, a.Body)
			}
		}
		if after := s.State(); after != before {
			t.Errorf("the sessions changed from %s to %s", before, after)
		}
		b.Do("POST", "/session/refresh", nil, "Sec-Fetch-Site", "", "Origin", s.URL).Want(t, 200)
		b.Do("POST", "/session/refresh", nil, "Sec-Fetch-Site", "same-origin", "Origin", "").Want(t, 200)
		b.Do("POST", "/session/refresh", nil, "Sec-Fetch-Site", "cross-site", "Origin", "https://notes.example.com").Want(t, 200)
	})
}

func TestSignOutEndsEverything(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.SignIn(s.User("ana"))
		cookies := map[string]string{"doorward_session": b.Cookies["doorward_session"], "doorward_refresh": b.Cookies["doorward_refresh"]}
		a := b.Do("DELETE", "/session", nil).Want(t, 204)
		wantForgotten(t, a, "doorward_session", "doorward_refresh")
		if len(a.Body) > 0 || !strings.Contains(a.Header.Get("Clear-Site-Data"), `"storage"`) {
			t.Errorf("signing out answers %q with %v", a.Body, a.Header)
		}
		b.Cookies = cookies
		wantRefusal(t, b.Do("GET", "/session", nil), 401, "session.alive")
		a = b.Do("POST", "/session/refresh", nil)
		wantRefusal(t, a, 401, "refresh.alive")
		wantForgotten(t, a, "doorward_refresh")
		if a := s.Bearer("GET", "/session", b.Access); a.Status != 401 || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("the access token answers %d", a.Status)
		}
	})
}

func TestSignInReplacesTheSessionOfThisBrowser(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana := s.User("ana")
		b := s.SignIn(ana)
		planted, first := b.Cookies["doorward_session"], b.Session
		b.Do("POST", "/session", rig.Credentials(ana)).Want(t, 201)
		if b.Session == first || b.Cookies["doorward_session"] == planted {
			t.Error("the sign-in went on in the session that was there")
		}
		old := s.Browser()
		old.Cookies["doorward_session"] = planted
		old.Do("GET", "/session", nil).Want(t, 401)
	})
}
