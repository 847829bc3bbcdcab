// Package api is the JSON surface: sessions for first-party apps, the
// revocation feed, and management for operators.
package api

import (
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/edge/door"
)

// Sessions serves the session API.
type Sessions struct {
	Door     *door.Door
	Exchange *exchange.Exchanges
}

// Routes mounts the session API. Every address answers its preflight, and
// refuses every method it does not have.
func (a *Sessions) Routes(mux *http.ServeMux) {
	for path, at := range map[string]door.Address{
		"/session":             {Methods: map[string]door.Handler{"POST": a.signIn, "GET": a.who, "DELETE": a.signOut}},
		"/session/sign-up":     {Methods: map[string]door.Handler{"POST": a.signUp}},
		"/session/continue":    {Methods: map[string]door.Handler{"POST": a.goOn}},
		"/session/refresh":     {Methods: map[string]door.Handler{"POST": a.refresh}},
		"/session/exchanges":   {Methods: map[string]door.Handler{"GET": a.exchanges}, Query: []string{"after"}},
		"/sessions":            {Methods: map[string]door.Handler{"GET": a.list}},
		"/sessions/{id}":       {Methods: map[string]door.Handler{"DELETE": a.end}},
		"/sessions/end-others": {Methods: map[string]door.Handler{"POST": a.endOthers}},
	} {
		mux.Handle(path, a.Door.On(door.Problem, a.cross(at)))
	}
}

// cross lets first-party pages of other origins in, by name and with
// credentials; everyone else gets no permission to read (attack OAU-34).
func (a *Sessions) cross(at door.Address) door.Handler {
	var list string
	at.Methods[http.MethodOptions] = func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Allow", list)
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			w.Header().Set("Access-Control-Allow-Methods", list)
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			w.Header().Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	list = at.Allow()
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Vary", "Origin")
		if o := r.Header.Get("Origin"); o != "" && len(r.Header["Origin"]) == 1 && a.Exchange.Allows(r.Context(), o) {
			w.Header().Set("Access-Control-Allow-Origin", o)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Set("Access-Control-Expose-Headers", "X-New-Access-Token, Retry-After, WWW-Authenticate")
		}
		return at.Serve(w, r)
	}
}

type sessionOut struct {
	ID        string    `json:"id"`
	Created   time.Time `json:"created"`
	AuthTime  time.Time `json:"auth_time"`
	IdleUntil time.Time `json:"idle_until"`
	ExpiresAt time.Time `json:"expires_at"`
	Method    string    `json:"method"`
	ACR       string    `json:"acr"`
	AMR       []string  `json:"amr"`
}

type userOut struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name,omitzero"`
	Verified bool   `json:"verified"`
}

type tokensOut struct {
	AccessToken string     `json:"access_token"`
	TokenType   string     `json:"token_type"`
	ExpiresIn   int        `json:"expires_in"`
	Session     sessionOut `json:"session"`
	User        userOut    `json:"user"`
}

func sessionJSON(s session.Session) sessionOut {
	return sessionOut{ID: s.ID.String(), Created: s.Created, AuthTime: s.AuthTime, IdleUntil: s.IdleUntil, ExpiresAt: s.MaxUntil,
		Method: s.Method, ACR: s.ACR(), AMR: s.AMR()}
}

// answer gives tokens: the access token in body and header, the refresh token
// only as a cookie that no script can read.
func (a *Sessions) answer(w http.ResponseWriter, status int, t exchange.Tokens) error {
	now := a.Door.Now()
	life := int(t.Session.MaxUntil.Sub(now).Seconds())
	if t.Cookie != "" {
		a.Door.SetCookie(w, door.SessionCookie, t.Cookie, life)
	}
	a.Door.KeepDevice(w, t.Device)
	a.Door.SetCookie(w, door.RefreshCookie, t.Refresh, life)
	w.Header().Set("X-New-Access-Token", t.Access)
	u := t.User
	door.WriteJSON(w, "application/json", status, tokensOut{
		AccessToken: t.Access, TokenType: "Bearer", ExpiresIn: int(math.Ceil(t.ExpiresAt.Sub(now).Seconds())),
		Session: sessionJSON(t.Session), User: userOut{u.ID.String(), u.Email, u.Name, u.Verified},
	})
	return nil
}

func (a *Sessions) signIn(w http.ResponseWriter, r *http.Request) error {
	origin, err := a.Door.From(r)
	if err != nil {
		return err
	}
	var in struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	if in.Email == "" || in.Password == "" || len(in.Email) > 320 {
		return check.Refuse(door.Body)
	}
	old, _ := a.Door.Cookie(r, door.SessionCookie)
	t, err := a.Exchange.Password(r.Context(), a.Door.Caller(r), exchange.PasswordInput{Email: in.Email, Password: in.Password, Origin: origin, Replaces: old})
	if err != nil {
		return err
	}
	return a.answer(w, http.StatusCreated, t)
}

func (a *Sessions) refresh(w http.ResponseWriter, r *http.Request) error {
	origin, err := a.Door.From(r)
	if err != nil {
		return err
	}
	if origin == "" {
		// Only a browser has this cookie, and a browser says where it is.
		return check.Refuse(door.Site)
	}
	value := a.cookie(w, r, door.RefreshCookie)
	t, err := a.Exchange.Refresh(r.Context(), a.Door.Caller(r), exchange.RefreshInput{Token: value, Origin: origin})
	var e *check.Refusal
	if errors.As(err, &e) && e.Check().Fault == fault.Unauthenticated && value != "" {
		// The family is dead: the browser need not keep its token. A refusal
		// that asks for fresh proof, or for patience, keeps it.
		a.Door.SetCookie(w, door.RefreshCookie, "", 0)
	}
	if err != nil {
		return err
	}
	return a.answer(w, http.StatusOK, t)
}

// caller finds who asks: an access token counts before a cookie, and a cookie
// is believed on reads only when no other page could have sent it.
func (a *Sessions) caller(w http.ResponseWriter, r *http.Request) (exchange.Who, error) {
	bearer, err := a.Door.Shown(r)
	if err != nil {
		return exchange.Who{}, err
	}
	if bearer.Access != "" {
		return a.Exchange.Bearer(r.Context(), bearer)
	}
	return a.Exchange.Cookie(r.Context(), a.cookie(w, r, door.SessionCookie))
}

// cookie is the value of a cookie of ours. One that was sent twice counts as
// none and is taken away: whoever planted the other must not choose which of
// them counts (attack SES-05).
func (a *Sessions) cookie(w http.ResponseWriter, r *http.Request, name string) string {
	value, twice := a.Door.Cookie(r, name)
	if twice {
		a.Door.SetCookie(w, name, "", 0)
	}
	return value
}

func (a *Sessions) who(w http.ResponseWriter, r *http.Request) error {
	who, err := a.caller(w, r)
	if err != nil {
		return err
	}
	u := who.User
	door.WriteJSON(w, "application/json", http.StatusOK, struct {
		Session sessionOut `json:"session"`
		User    userOut    `json:"user"`
		Client  string     `json:"client_id,omitzero"`
		Scope   string     `json:"scope,omitzero"`
	}{sessionJSON(who.Session), userOut{u.ID.String(), u.Email, u.Name, u.Verified}, who.Claims.Client, who.Claims.Scope})
	return nil
}

// credential is what an unsafe request may act with. Cookies act only for
// pages of ours and of first-party applications.
func (a *Sessions) credential(w http.ResponseWriter, r *http.Request) (exchange.Credential, error) {
	bearer, err := a.Door.Shown(r)
	if err != nil || bearer.Access != "" {
		return exchange.Credential{Bearer: bearer}, err
	}
	origin, err := a.Door.From(r)
	if err != nil {
		return exchange.Credential{}, err
	}
	if origin != "" {
		if err := a.Exchange.Admits(r.Context(), origin); err != nil {
			return exchange.Credential{}, err
		}
	}
	return exchange.Credential{Cookie: a.cookie(w, r, door.SessionCookie), Refresh: a.cookie(w, r, door.RefreshCookie)}, nil
}

func (a *Sessions) signOut(w http.ResponseWriter, r *http.Request) error {
	c, err := a.credential(w, r)
	if err != nil {
		return err
	}
	if _, err := a.Exchange.SignOut(r.Context(), a.Door.Caller(r), c); err != nil {
		return err
	}
	a.forget(w)
	return nil
}

func (a *Sessions) forget(w http.ResponseWriter) {
	a.Door.SetCookie(w, door.SessionCookie, "", 0)
	a.Door.SetCookie(w, door.RefreshCookie, "", 0)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

type listedOut struct {
	ID       string    `json:"id"`
	Device   string    `json:"device"`
	IP       string    `json:"ip"`
	Place    string    `json:"place"`
	Method   string    `json:"method"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen"`
	Current  bool      `json:"current"`
}

func (a *Sessions) list(w http.ResponseWriter, r *http.Request) error {
	who, err := a.caller(w, r)
	if err != nil {
		return err
	}
	all, err := a.Exchange.Sessions(r.Context(), who)
	if err != nil {
		return err
	}
	out := make([]listedOut, len(all))
	for i, s := range all {
		current := s.ID == who.Session.ID
		seen := s.LastSeen
		if current {
			seen = a.Door.Now()
		}
		out[i] = listedOut{ID: s.ID.String(), Device: session.Named(s.UserAgent), IP: s.IP, Place: a.Exchange.Policy().Place(s.IP).String(), Method: s.Method, Created: s.Created, LastSeen: seen, Current: current}
	}
	door.WriteJSON(w, "application/json", http.StatusOK, struct {
		Sessions []listedOut `json:"sessions"`
	}{out})
	return nil
}

func (a *Sessions) end(w http.ResponseWriter, r *http.Request) error {
	c, err := a.credential(w, r)
	if err != nil {
		return err
	}
	// An id that cannot be one is refused by the exchange like one that is
	// not there: the zero id names nothing.
	id, _ := session.ParseID(r.PathValue("id"))
	if err := a.Exchange.End(r.Context(), a.Door.Caller(r), c, id); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *Sessions) endOthers(w http.ResponseWriter, r *http.Request) error {
	c, err := a.credential(w, r)
	if err != nil {
		return err
	}
	n, err := a.Exchange.EndOthers(r.Context(), a.Door.Caller(r), c, false)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, struct {
		Ended int `json:"ended"`
	}{n})
	return nil
}

func (a *Sessions) exchanges(w http.ResponseWriter, r *http.Request) error {
	who, err := a.caller(w, r)
	if err != nil {
		return err
	}
	q, err := door.Params(r, "after")
	if err != nil {
		return err
	}
	if _, err := ledger.ParseID(q.Get("after")); err != nil && q.Get("after") != "" {
		return check.Refuse(door.Query)
	}
	entries, err := a.Exchange.Exchanges(r.Context(), who)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, struct {
		Exchanges []exchangeOut `json:"exchanges"`
	}{told(entries, q)})
	return nil
}
