// Package drill is the attacks as a client would make them. It runs them
// against a deployment that its operator proved to be theirs, with people and
// applications made for the purpose and taken away afterwards, and says of
// each whether it held.
package drill

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
)

// An Attack is one thing that is tried.
type Attack struct {
	ID    string
	Group string
	Tries string   // a sentence: what is tried, and what must come of it
	Of    []string // what it tries of docs/attacks.md, by id
	// Expects are the checks of which one is to refuse it; none where nothing is
	// refused and something must hold all the same.
	Expects []string
	run     func(*try)
}

// Groups of attacks, in the order in which they run.
const (
	Tokens   = "Tokens"
	Sessions = "Sessions"
	Forms    = "Forms"
	OAuth    = "OAuth"
)

// All lists every attack. The last ones use up the budget of this network.
func All() []Attack {
	return slices.Concat(tokenAttacks, proofAttacks, sessionAttacks, oauthAttacks, formAttacks)
}

// An Outcome is how an attack ended.
type Outcome string

// Words, never a score.
const (
	Held    Outcome = "held"
	Broke   Outcome = "BROKE"
	Skipped Outcome = "skipped"
)

// A Result is an attack and what came of it.
type Result struct {
	ID      string   `json:"id"`
	Group   string   `json:"group"`
	Tries   string   `json:"tries"`
	Of      []string `json:"attacks"`
	Expects []string `json:"expects,omitempty"`
	Outcome Outcome  `json:"outcome"`
	// What happened, when it did not hold: requests and answers, without secrets.
	What []string `json:"what,omitempty"`
	// Seen is what was measured and is not judged.
	Seen string `json:"seen,omitzero"`
}

// A Report is what a drill found.
type Report struct {
	Target   string   `json:"target"`
	Results  []Result `json:"results"`
	Held     int      `json:"held"`
	Broke    int      `json:"broke"`
	Skipped  int      `json:"skipped"`
	Requests int      `json:"requests"`
	// Left is what could not be taken away afterwards.
	Left []string `json:"left,omitempty"`
}

// Options are what a drill needs.
type Options struct {
	// Manage asks the management API on the host's socket. Whoever can is the
	// deployment's operator, and the deployment is the one that is attacked.
	Manage func(ctx context.Context, method, path string, body, out any) error
	// Transport carries the attacks; the default one when nil.
	Transport http.RoundTripper
	Now       func() time.Time
	Sleep     func(ctx context.Context, d time.Duration) error // waits; a real wait when nil
	Version   string
	Only      []string // ids of attacks; all when empty
	Wait      bool     // for tokens to expire
	// Ready is told the target before anything is sent to it, and After each
	// result.
	Ready func(target string, attacks int)
	After func(Result)
}

// Problem is why no drill ran.
type Problem struct{ Title, Detail string }

func (p *Problem) Error() string { return p.Title + " " + p.Detail }

// Run drills. What was made for it is taken away also when ctx ends.
func Run(ctx context.Context, o Options) (report Report, err error) {
	attacks, err := choose(o.Only)
	if err != nil {
		return Report{}, err
	}
	r := &run{Options: o, ctx: ctx}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if err := r.prove(); err != nil {
		return Report{}, err
	}
	defer r.finish()
	defer func() {
		report.Left = r.clear(context.WithoutCancel(ctx))
		report.Requests = int(r.requests.Load())
	}()
	report.Target = r.target
	if o.Ready != nil {
		o.Ready(r.target, len(attacks))
	}
	if err := r.cast(); err != nil {
		return report, err
	}
	for _, a := range attacks {
		if ctx.Err() != nil {
			return report, context.Cause(ctx)
		}
		result := r.try(a)
		report.Results = append(report.Results, result)
		switch result.Outcome {
		case Held:
			report.Held++
		case Broke:
			report.Broke++
		default:
			report.Skipped++
		}
		if o.After != nil {
			o.After(result)
		}
	}
	return report, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func choose(only []string) ([]Attack, error) {
	all := All()
	for _, id := range only {
		if !slices.ContainsFunc(all, func(a Attack) bool { return a.ID == id }) {
			return nil, &Problem{fmt.Sprintf("There is no attack %q.", id), "See doorward drill --list."}
		}
	}
	if len(only) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(a Attack) bool { return !slices.Contains(only, a.ID) }), nil
}

// A person is one who was made for the drill.
type person struct{ id, email, password string }

// An application is one that was made for the drill.
type application struct{ id, secret string }

// prove has the server answer a nonce at its public address that was given to
// it over its socket: what is attacked is what the operator has.
func (r *run) prove() error {
	var challenge struct {
		Issuer string `json:"issuer"`
		Nonce  string `json:"nonce"`
	}
	if err := r.Manage(r.ctx, http.MethodPost, "/api/v1/drill", nil, &challenge); err != nil {
		return err
	}
	r.target, r.nonce = challenge.Issuer, challenge.Nonce
	r.open()
	// Another node behind the same address does not know the nonce; ask until
	// this one answers.
	var last answer
	for range 50 {
		if last = r.stranger().get("/.well-known/doorward-drill/" + r.nonce); last.status == http.StatusOK && strings.TrimSpace(last.body) == r.nonce {
			return nil
		}
		if last.err != nil {
			break
		}
	}
	r.clear(context.WithoutCancel(r.ctx))
	r.finish()
	detail := fmt.Sprintf("At the address of the challenge it answers %d.", last.status)
	if last.err != nil {
		detail = last.err.Error()
	}
	return &Problem{"That " + r.target + " is yours could not be proved.", detail}
}

// cast makes the people and applications of the drill.
func (r *run) cast() error {
	random := secret.Random16()
	name := "drill-" + strings.ToLower(strings.Trim(secret.Encode(random[:6]), "-_"))
	for _, who := range []*person{&r.ana, &r.ben} {
		password := secret.Random()
		*who = person{email: fmt.Sprintf("%s-%d@doorward.invalid", name, len(r.people)), password: secret.Encode(password[:])}
		var made struct {
			ID string `json:"id"`
		}
		if err := r.Manage(r.ctx, http.MethodPost, "/api/v1/users", map[string]string{"email": who.email, "name": name, "password": who.password}, &made); err != nil {
			return err
		}
		who.id = made.ID
		r.people = append(r.people, *who)
	}
	for i, app := range []*application{&r.reader, &r.other, &r.web, &r.spare} {
		random := secret.Random()
		*app = application{fmt.Sprintf("%s-%d", name, i), secret.Encode(random[:])}
		metadata := map[string]any{"client_id": app.id, "client_secret": app.secret, "client_name": name}
		switch app {
		case &r.web, &r.spare:
			// First-party, so that nobody is asked whether they allow it.
			maps.Copy(metadata, map[string]any{"doorward_type": "web", "doorward_first_party": true, "redirect_uris": []string{app.back()},
				"token_endpoint_auth_method": "client_secret_basic", "grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid offline_access"})
		default:
			resource := r.target
			if app == &r.other {
				resource = "https://" + name + ".invalid"
			}
			maps.Copy(metadata, map[string]any{"doorward_type": "machine", "doorward_resources": []string{resource}, "scope": "revocations:read"})
		}
		var made struct {
			ID string `json:"client_id"`
		}
		if err := r.Manage(r.ctx, http.MethodPost, "/api/v1/clients", metadata, &made); err != nil {
			return err
		}
		r.apps = append(r.apps, *app)
	}
	return nil
}

// clear takes away what was made, and says what stays.
func (r *run) clear(ctx context.Context) (left []string) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	do := func(method, path string) error {
		var ignored any
		return r.Manage(ctx, method, path, nil, &ignored)
	}
	for _, who := range r.people {
		if do(http.MethodDelete, "/api/v1/users/"+who.id) != nil {
			left = append(left, who.email+" is still there")
		}
	}
	for _, app := range r.apps {
		if do(http.MethodDelete, "/api/v1/clients/"+app.id) != nil {
			left = append(left, "the application "+app.id+" is still there")
		}
	}
	_ = do(http.MethodDelete, "/api/v1/drill/"+r.nonce)
	return left
}
