package doorward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Require makes middleware: the handler runs only when the request brings a
// good access token and every guard holds. It reads exactly one Authorization
// header; a token in the query is refused, one in a body is never looked at
// (RFC 9700 section 4.3.2).
//
//	mux.Handle("GET /v1/notes/{id}", v.Require(doorward.Scope("notes:read"))(h))
//
// Require panics on a guard that cannot work with this verifier.
func (v *Verifier) Require(guards ...Guard) func(http.Handler) http.Handler {
	guards = v.inOrder(guards)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := &attempt{v: v, r: r, guards: guards}
			if err := a.run(); err != nil {
				v.answer(w, a, err)
				return
			}
			a.renew(w)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, a)))
		})
	}
}

// run makes every check. A panic in one is a failed check.
func (a *attempt) run() (err error) {
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler {
			panic(p)
		}
		if p != nil {
			err = broken(fmt.Sprint("a check panicked: ", p))
		}
	}()
	var token string
	if token, a.dpop, err = credentials(a.r); err != nil {
		return err
	}
	who, t, err := a.v.verify(a.r.Context(), token)
	if err != nil {
		return err
	}
	if err := a.sender(token, &t.claims); err != nil {
		return err
	}
	a.who, a.token = who, t
	for _, g := range a.guards {
		if err := g.hold(a); err != nil {
			return err
		}
		a.held++
	}
	return nil
}

// VerifyRequest judges a request's access token like [Verifier.Require], for
// whoever cannot use a middleware. Of the two a token that is bound to a key
// needs one: it comes with a proof for its request.
func (v *Verifier) VerifyRequest(r *http.Request) (*Identity, error) {
	a := &attempt{v: v, r: r}
	if err := a.run(); err != nil {
		return nil, err
	}
	return a.who, nil
}

// credentials takes the token from the one place where it may be, and says
// whether it comes with a DPoP proof (RFC 9449 section 7.1) or as Bearer.
func credentials(r *http.Request) (token string, dpop bool, err error) {
	if r.URL.RawQuery != "" && r.URL.Query().Has("access_token") {
		// It is in logs and histories by now; that it is refused makes it noticed.
		return "", false, unclear(checkPlace, "a token in the address is not read")
	}
	values := r.Header["Authorization"]
	if len(values) > 1 {
		return "", false, unclear(checkPlace, "there is more than one Authorization header")
	}
	if len(values) == 1 {
		// RFC 9110 section 11.1: the scheme in any case, then one space.
		scheme, token, _ := strings.Cut(values[0], " ")
		dpop := strings.EqualFold(scheme, "DPoP")
		if (dpop || strings.EqualFold(scheme, "Bearer")) && token != "" {
			return token, dpop, nil
		}
	}
	return "", false, &Refusal{
		Check: checkPresent, Ref: reference(), Status: http.StatusUnauthorized, named: true,
		Title: "Please sign in.", Detail: "the request has no access token",
	}
}

// unclear refuses a request that is not as RFC 6750 section 2 wants it.
func unclear(check, detail string) *Refusal {
	return &Refusal{
		Check: check, Detail: detail, Ref: reference(), named: true,
		Title: "The request was not understood.", Status: http.StatusBadRequest, code: "invalid_request",
	}
}

// renew gives whoever came with DPoP the nonce for the next proof, where one is
// demanded.
func (a *attempt) renew(w http.ResponseWriter) {
	if a.dpop && a.v.nonces != nil {
		w.Header().Set("DPoP-Nonce", a.v.nonces.now(a.v.now()))
	}
}

// answer writes the refusal and one line about it.
func (v *Verifier) answer(w http.ResponseWriter, a *attempt, err error) {
	var r *Refusal
	if !errors.As(err, &r) {
		// The caller went away; this answer reaches nobody.
		r = unsure(checkRan, "the request ended before it was judged")
	}
	v.say(a, r)
	a.renew(w)
	var checks []Check
	if v.development && r.Status == http.StatusUnauthorized {
		checks = a.explained(r)
	}
	said := *r
	said.dpop = r.dpop || a.dpop // RFC 9449 section 7.1: challenged in kind
	said.write(w, v.audience, checks)
}

// say logs a refusal: never the token, nor the query it may stand in.
func (v *Verifier) say(a *attempt, r *Refusal) {
	ok, skipped := v.lines.spend(v.now())
	if !ok {
		return
	}
	detail := r.Detail
	if a.private != "" {
		detail = a.private
	}
	path := a.r.URL.Path
	if len(path) > 200 {
		path = path[:200]
	}
	attrs := []slog.Attr{
		slog.String("method", a.r.Method), slog.String("path", path), slog.Int("status", r.Status),
		slog.String("check", r.Check), slog.String("detail", detail), slog.String("ref", r.Ref),
	}
	if a.who != nil {
		attrs = append(attrs, slog.String("subject", a.who.Subject))
	}
	if skipped > 0 {
		attrs = append(attrs, slog.Int("lines_left_out", skipped))
	}
	v.log.LogAttrs(a.r.Context(), slog.LevelWarn, "doorward: refused", attrs...)
}

// linesMost is how many refusals are logged in one second.
const linesMost = 20

// A budget keeps strangers from filling the log.
type budget struct {
	mu      sync.Mutex
	since   time.Time
	spent   int
	skipped int
}

// spend says whether one more line may be written, and how many were left out
// since the last one.
func (b *budget) spend(now time.Time) (ok bool, skipped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := now.Sub(b.since); d >= time.Second || d < 0 {
		b.since, b.spent = now, 0
	}
	if b.spent >= linesMost {
		b.skipped++
		return false, 0
	}
	b.spent++
	skipped, b.skipped = b.skipped, 0
	return true, skipped
}
