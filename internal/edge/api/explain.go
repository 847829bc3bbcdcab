package api

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
)

// explained is what an operator is told of a refusal, a token or a session:
// the verdict, the checks in the order in which they ran, why, what to do, when
// it was last seen, and where its story is.
type explained struct {
	Kind    string `json:"kind"`    // refusal, jwt, opaque, refresh, session
	Verdict string `json:"verdict"` // good, refused
	Check   string `json:"check,omitzero"`

	ID       string    `json:"id,omitzero"` // of the ledger's entry
	At       time.Time `json:"at,omitzero"`
	Exchange string    `json:"exchange,omitzero"`
	Outcome  string    `json:"outcome,omitzero"`
	Ref      string    `json:"ref,omitzero"`

	Checks     []checkOut   `json:"checks"` // that ran
	NotReached []notReached `json:"not_reached,omitempty"`
	Claims     *claimsOut   `json:"claims,omitzero"` // of a token that a key of ours signed or sealed
	Why        string       `json:"why,omitzero"`
	Fix        string       `json:"fix,omitzero"`
	Seen       *seenOut     `json:"seen,omitzero"`
	Issued     []issuedOut  `json:"issued,omitempty"` // counts of the minute in which an application got it
	Story      string       `json:"story,omitzero"`

	User    string `json:"user,omitzero"`
	Email   string `json:"email,omitzero"`
	Session string `json:"session,omitzero"`
	Client  string `json:"client_id,omitzero"`
	Actor   string `json:"actor,omitzero"`
}

// notReached is a check that did not run, because one before it failed. It may
// be known all the same: Would is hold, fail or nothing.
type notReached struct {
	ID    string `json:"id"`
	Says  string `json:"says"`
	Would string `json:"would,omitzero"`
}

type claimsOut struct {
	Issuer    string    `json:"iss"`
	Subject   string    `json:"sub"`
	Audience  []string  `json:"aud"`
	ExpiresAt time.Time `json:"exp"`
	IssuedAt  time.Time `json:"iat"`
	JTI       string    `json:"jti"`
	Client    string    `json:"client_id"`
	Scope     string    `json:"scope,omitzero"`
	Session   string    `json:"sid,omitzero"`
	Grant     string    `json:"grant_id,omitzero"`
	Rev       uint64    `json:"rev"`
	ACR       string    `json:"acr,omitzero"`
	AMR       []string  `json:"amr,omitempty"`
	AuthTime  time.Time `json:"auth_time,omitzero"`
	KID       string    `json:"kid"`

	Confirm token.Confirm `json:"cnf,omitzero"` // what it is bound to
}

// seenOut is the latest exchange of the session that something hangs on.
type seenOut struct {
	At       time.Time `json:"at"`
	Exchange string    `json:"exchange"`
	Outcome  string    `json:"outcome"`
	Ref      string    `json:"ref,omitzero"`
}

// issuedOut is how often an application was given something in one minute, from
// one network, each time with the same checks.
type issuedOut struct {
	Minute   time.Time  `json:"minute"`
	Exchange string     `json:"exchange"`
	Network  string     `json:"network"`
	Count    int        `json:"count"`
	Checks   []checkOut `json:"checks"`
}

func issued(all []ledger.Issue) (out []issuedOut) {
	for _, i := range all {
		o := issuedOut{Minute: i.Minute, Network: i.Network, Count: i.Count}
		if e := check.ExchangeNumbered(i.Exchange); e != nil {
			o.Exchange = e.Name
		}
		for _, id := range i.Checks {
			o.Checks = append(o.Checks, checkOut{ID: id, OK: true})
			if c := check.Named(id); c != nil {
				o.Checks[len(o.Checks)-1].Says = c.Says
			}
		}
		out = append(out, o)
	}
	return out
}

// tokenIn is a token that an operator holds in hand. An audience makes the
// examination that of one API.
type tokenIn struct {
	Token    string `json:"token"`
	Audience string `json:"audience,omitzero"`
}

type revokedOut struct {
	Kind    string `json:"kind"`
	JTI     string `json:"jti,omitzero"`
	Session string `json:"session,omitzero"`
	Already bool   `json:"already"` // it had ended before
}

// explain tells an operator everything that is known of a refusal, by its
// reference, or of a session, by its id.
func (m *Manage) explain(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	if id, err := session.ParseID(r.PathValue("ref")); err == nil {
		return m.explainSession(w, r, by, id)
	}
	e, err := m.Manage.Explain(r.Context(), r.PathValue("ref"))
	if err != nil {
		return err
	}
	if err := m.Exchange.Looked(r.Context(), by, e.User, e.Session); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, refusalExplained(e))
	return nil
}

func refusalExplained(e ledger.Entry) explained {
	told := told([]ledger.Entry{e}, nil)[0]
	out := explained{Kind: "refusal", Verdict: "good", ID: told.ID, At: told.At, Exchange: told.Exchange, Outcome: told.Outcome, Ref: told.Ref, Checks: told.Checks,
		User: e.User.String(), Session: e.Session.String(), Client: e.Client, Actor: e.Actor}
	ran := map[string]bool{}
	for _, c := range told.Checks {
		ran[c.ID] = true
	}
	for _, s := range e.Steps {
		if !s.Held && out.Check == "" {
			out.Verdict, out.Check, out.Why, out.Fix = "refused", s.Check.ID, s.Check.Title, fixes[s.Check.ID]
		}
	}
	if e.Exchange != nil {
		for _, c := range e.Exchange.Checks {
			if !ran[c.ID] {
				out.NotReached = append(out.NotReached, notReached{ID: c.ID, Says: c.Says})
			}
		}
	}
	out.Story = story(out.Session)
	return out
}

func story(session string) string {
	if session == "" {
		return ""
	}
	return "doorward sessions show " + session
}

func (m *Manage) explainSession(w http.ResponseWriter, r *http.Request, by settle.Caller, id session.ID) error {
	if _, _, err := m.Manage.Session(r.Context(), id); err != nil {
		return err
	}
	e, err := m.Exchange.ExamineSession(r.Context(), id)
	if err != nil {
		return err
	}
	if err := m.Exchange.Looked(r.Context(), by, e.User.ID, e.Session.ID); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, examined(e, "", m.Door.Now()))
	return nil
}

// examine runs every check of a token for the operator who holds it. The body
// is read as it is: what is no token of ours is an answer, not a mistake.
func (m *Manage) examine(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in tokenIn
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	e, err := m.Exchange.Examine(r.Context(), in.Token, in.Audience)
	if err != nil {
		return err
	}
	if err := m.Exchange.Looked(r.Context(), by, e.User.ID, e.Session.ID); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, examined(e, in.Audience, m.Door.Now()))
	return nil
}

// revoke ends a token that an operator holds.
func (m *Manage) revoke(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in tokenIn
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	out, err := m.Exchange.Revoke(r.Context(), by, in.Token)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, revokedOut{out.Kind, out.JTI, out.Session.String(), out.Already})
	return nil
}

func examined(e exchange.Examination, audience string, now time.Time) explained {
	out := explained{Kind: e.Kind, Verdict: "good", User: e.User.ID.String(), Email: e.User.Email, Session: e.Session.ID.String(), Client: e.Client}
	for _, f := range e.Findings {
		if f.Reached {
			out.Checks = append(out.Checks, checkOut{ID: f.Check.ID, OK: f.Holds, Says: f.Check.Says})
			continue
		}
		n := notReached{ID: f.Check.ID, Says: f.Check.Says}
		if f.Known {
			n.Would = map[bool]string{true: "hold", false: "fail"}[f.Holds]
		}
		out.NotReached = append(out.NotReached, n)
	}
	if c := e.Claims; c.JTI != "" {
		out.Claims = &claimsOut{c.Issuer, c.Subject, c.Audience, c.ExpiresAt.UTC(), c.IssuedAt.UTC(), c.JTI, c.Client, c.Scope, c.Session, c.Grant, c.Rev, c.ACR, c.AMR, c.AuthTime.UTC(), c.KID, c.Confirm}
		if c.AuthTime.IsZero() {
			out.Claims.AuthTime = time.Time{}
		}
	}
	if c := e.Failed(); c != nil {
		out.Verdict, out.Check, out.Fix = "refused", c.ID, fixes[c.ID]
		if out.Why = why(e, c.ID, audience, now); out.Why == "" {
			out.Why = c.Title
		}
	}
	if !e.Last.At.IsZero() {
		last := told([]ledger.Entry{e.Last}, nil)[0]
		out.Seen = &seenOut{last.At, last.Exchange, last.Outcome, last.Ref}
	}
	out.Issued = issued(e.Issued)
	out.Story = story(out.Session)
	return out
}

// why says what was found, where more can be said than that the check failed.
func why(e exchange.Examination, failed, audience string, now time.Time) string {
	c, s := e.Claims, e.Session
	switch failed {
	case "token.audience":
		return fmt.Sprintf("It is for %s; the API that asked is %s.", strings.Join(c.Audience, " and "), audience)
	case "token.in_time":
		if now.Before(c.IssuedAt) {
			return "It begins at " + instant(c.IssuedAt) + "."
		}
		return fmt.Sprintf("It expired at %s, %s ago.", instant(c.ExpiresAt), now.Sub(c.ExpiresAt).Round(time.Second))
	case "token.alive":
		return fmt.Sprintf("At %s %s.", instant(e.Killer.At), killed[e.Killer.Name.Unit])
	case "session.alive", "refresh.alive":
		if !s.Ended.IsZero() {
			return fmt.Sprintf("Its session ended at %s: %s.", instant(s.Ended), s.Why)
		}
		if e.User.Cut > s.Rev {
			return "Every session of its person was ended."
		}
	case "session.in_time":
		if !now.Before(s.MaxUntil) {
			return "It reached its longest age at " + instant(s.MaxUntil) + "."
		}
		return "It was not used until " + instant(s.IdleUntil) + "."
	}
	return ""
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// killed says in words what an event of each unit did.
var killed = map[revocation.Unit]string{
	revocation.JTI: "this token was revoked", revocation.Session: "its session ended, or all its tokens were", revocation.Grant: "what was granted to its application ended",
	revocation.User: "every session of its person was ended", revocation.Client: "every token of its application was ended",
	revocation.Key: "its key was given up", revocation.All: "everything issued before was ended",
}

// fixes says what to do about a check that failed, by its id.
var fixes = map[string]string{
	"token.form":        "Take all of it, from its first character to its last, and nothing else.",
	"token.signature":   "If another server made it, ask that one. If its key was retired, the application gets a new token by refreshing.",
	"token.audience":    "Ask for a token that is for this API: the resources of the application decide (doorward clients create --resource).",
	"token.in_time":     "The application refreshes, and nobody types anything: POST /session/refresh.",
	"token.alive":       "The application refreshes; if its session has ended, the person signs in again.",
	"refresh.form":      "Take all of it, from dw_rt_ to its last character, and nothing else.",
	"refresh.authentic": "The person signs in again. A good form with a wrong secret was made up: look for who sent it.",
	"refresh.present":   "The database is older than this token: it was put back. The person signs in again.",
	"refresh.alive":     "The person signs in again.",
	"refresh.in_time":   "The person signs in again. How long is set by token.refresh_idle and token.refresh_max.",
	"refresh.unspent":   "Two held the same token: read the story, and tell the person. They sign in again.",
	"refresh.timely":    "The person signs in again. How long an answer may be lost is set by token.refresh_grace.",
	"session.presented": "The browser signs in again.",
	"session.alive":     "The person signs in again.",
	"session.in_time":   "The person signs in again. How long is set by session.idle and session.max.",
}
