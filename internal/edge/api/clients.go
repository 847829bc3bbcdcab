package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// managedClient is a registered application as it stands.
type managedClient struct {
	registration
	State   string          `json:"doorward_state" says:"active, or paused."`
	Version uint64          `json:"doorward_version" says:"Every change takes the next one. Sent with a change, it must still be the one."`
	Secrets []managedSecret `json:"doorward_secrets,omitempty" says:"What is known of its secrets, the current one first; never what they are."`
	Ended   string          `json:"doorward_ended,omitzero" says:"What the change ended: access_tokens, which the application gets anew and narrower by refreshing, or tokens, all of them."`
}

type managedSecret struct {
	Made  time.Time `json:"made"`
	Used  time.Time `json:"used,omitzero" says:"Last, within a minute or so; left out when it never was."`
	Until time.Time `json:"until,omitzero" says:"Of a former one: it works until then."`
}

func clientJSON(c client.Client, secret string, now time.Time) managedClient {
	out := managedClient{registration: registered(c, secret), State: "active", Version: c.Guard}
	if c.Paused {
		out.State = "paused"
	}
	for _, s := range []client.Secret{c.Secret, c.Former} {
		if s.Exists() && (s.Until.IsZero() || s.Live(now)) {
			out.Secrets = append(out.Secrets, managedSecret{s.Made, s.Used, s.Until})
		}
	}
	return out
}

// showClient answers with an application, read back.
func (m *Manage) showClient(w http.ResponseWriter, r *http.Request, secret, ended string) error {
	c, err := m.Manage.FindClient(r.Context(), r.PathValue("client"))
	if err != nil {
		return err
	}
	out := clientJSON(c, secret, m.Door.Now())
	out.Ended = ended
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (m *Manage) client(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	return m.showClient(w, r, "", "")
}

// clientTurned makes a handler of a change to one application.
func (m *Manage) clientTurned(change func(context.Context, settle.Caller, string) error) func(http.ResponseWriter, *http.Request, settle.Caller) error {
	return func(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
		if err := change(r.Context(), by, r.PathValue("client")); err != nil {
			return err
		}
		return m.showClient(w, r, "", "")
	}
}

// editedClient is a JSON merge patch (RFC 7396) of an application's metadata:
// what is left out stays, null is nothing.
type editedClient struct {
	registration
	Version *uint64 `json:"doorward_version,omitzero" says:"Change it only if this is its version still."`
}

func (m *Manage) editClient(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	raw, err := door.RawJSON(w, r)
	if err != nil {
		return err
	}
	var patch editedClient
	if err := door.ReadMetadata(raw, &patch); err != nil {
		return err
	}
	made, ended, err := m.Manage.EditClient(r.Context(), by, r.PathValue("client"), patch.Version, func(c client.Client) (client.Client, bool) {
		next := editedClient{registration: registered(c, "")}
		if door.ReadMetadata(raw, &next) != nil || next.Secret != "" {
			return c, false
		}
		return next.over(c), true
	})
	if err != nil {
		return err
	}
	return m.showClient(w, r, made, string(ended))
}

// over is an application as a registration says, with what no registration
// says as it was.
func (in registration) over(c client.Client) client.Client {
	next := in.client().Client
	next.Secret, next.Former, next.Paused, next.Guard, next.Cut, next.Created, next.Deleted = c.Secret, c.Former, c.Paused, c.Guard, c.Cut, c.Created, c.Deleted
	return next
}

type secretRotation struct {
	Overlap *int64 `json:"overlap,omitzero" says:"How many seconds the secret before goes on working: a week when left out, at most 90 days; 0 ends it at once."`
}

func (m *Manage) rotateSecret(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in secretRotation
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	overlap := client.OverlapUsual
	if in.Overlap != nil {
		if *in.Overlap < 0 || *in.Overlap > int64(client.OverlapMost/time.Second) {
			return check.Refuse(door.Body)
		}
		overlap = time.Duration(*in.Overlap) * time.Second
	}
	made, err := m.Manage.RotateSecret(r.Context(), by, r.PathValue("client"), overlap)
	if err != nil {
		return err
	}
	return m.showClient(w, r, made, "")
}

// rehearsal is what a sign-in to an application would meet.
type rehearsal struct {
	ClientID string    `json:"client_id"`
	Findings []Finding `json:"findings"`
	Link     string    `json:"link,omitzero" says:"Open it in a browser to sign in to the application; it will refuse the code, which it did not ask for."`
}

func (m *Manage) testClient(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	c, err := m.Manage.FindClient(r.Context(), r.PathValue("client"))
	if err != nil {
		return err
	}
	out := rehearsal{ClientID: c.ID}
	for _, f := range c.Rehearse() {
		finding := Finding{ID: f.ID, State: "good", Says: f.Says}
		if !f.Good {
			finding.State, finding.Fix = "broken", ""
		}
		if f.Fix != "" {
			finding.Fix = "doorward " + fmt.Sprintf(f.Fix, c.ID)
		}
		out.Findings = append(out.Findings, finding)
	}
	for _, f := range c.Weaknesses(m.Door.Now()) {
		out.Findings = append(out.Findings, Finding{ID: f.ID, State: "warning", Says: "it " + f.Says, Fix: "doorward " + fmt.Sprintf(f.Fix, c.ID)})
	}
	if c.MayGrant(client.GrantCode) && len(c.RedirectURIs) > 0 && !c.Paused {
		state, verifier := secret.Random16(), secret.Random()
		challenge := sha256.Sum256([]byte(secret.Encode(verifier[:])))
		q := url.Values{"client_id": {c.ID}, "response_type": {"code"}, "redirect_uri": {c.RedirectURIs[0]}, "state": {secret.Encode(state[:])},
			"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}}
		if len(c.Scopes) > 0 {
			q.Set("scope", strings.Join(c.Scopes, " "))
		}
		out.Link = m.Exchange.Policy().Issuer + "/oauth/authorize?" + q.Encode()
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}
