package api

import (
	"net/http"
	"strings"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
)

// A flow is what an application holds between two steps: which one-time object
// it waits for, and the key that stands for the browser that asked.
func flowOf(id token.OnceID, key [secret.Size]byte) string {
	return id.String() + "." + secret.Encode(key[:])
}

func parseFlow(s string) (ref exchange.OnceRef, ok bool) {
	name, text, _ := strings.Cut(s, ".")
	id, err := token.ParseOnceID(name)
	key, readable := secret.Decode(text)
	return exchange.OnceRef{ID: id, Browser: key}, err == nil && readable && len(key) == secret.Size
}

// from is the page that an unsafe request without a session comes from: ours,
// or one of a first-party application.
func (a *Sessions) from(r *http.Request) (origin string, err error) {
	if origin, err = a.Door.From(r); err == nil && origin != "" {
		err = a.Exchange.Admits(r.Context(), origin)
	}
	return origin, err
}

// signUp takes the wish for an account. What it answers does not tell whether
// there is one (attack ENM-01).
func (a *Sessions) signUp(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.from(r); err != nil {
		return err
	}
	var in struct {
		Email    string `json:"email"`
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	if in.Email == "" || in.Password == "" || len(in.Email) > 320 {
		return check.Refuse(door.Body)
	}
	key := secret.Random()
	id, err := a.Exchange.SignUp(r.Context(), a.Door.Caller(r), exchange.SignUpInput{Email: in.Email, Name: in.Name, Password: in.Password, Browser: key[:]})
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusAccepted, struct {
		Next    string   `json:"next"`
		Flow    string   `json:"flow"`
		Methods []string `json:"methods"`
	}{"confirm_address", flowOf(id, key), []string{"email_code"}})
	return nil
}

// goOn takes the next step of a flow.
func (a *Sessions) goOn(w http.ResponseWriter, r *http.Request) error {
	origin, err := a.from(r)
	if err != nil {
		return err
	}
	var in struct {
		Flow   string `json:"flow"`
		Method string `json:"method"`
		Code   string `json:"code"`
	}
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	ref, ok := parseFlow(in.Flow)
	if !ok || in.Method != "email_code" {
		return check.Refuse(door.Body)
	}
	old, _ := a.Door.Cookie(r, door.SessionCookie)
	t, err := a.Exchange.ConfirmCode(r.Context(), a.Door.Caller(r), exchange.ConfirmInput{OnceRef: ref, Code: in.Code, Origin: origin, Replaces: old})
	if err != nil {
		return err
	}
	return a.answer(w, http.StatusCreated, t)
}
